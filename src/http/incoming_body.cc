#include "http/incoming_body.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"

namespace tallyman::http {
namespace {

constexpr std::size_t kChunkedInputBytes = 64 * 1024;
// From here on it is worth a system call of its own to spare the copy.
constexpr std::size_t kDirectReadBytes = 16 * 1024;

}  // namespace

IncomingBody::IncomingBody(const RequestHead& head, InputBuffer& input, Channel& channel)
    : kind_(head.body_kind),
      input_(input),
      channel_(channel),
      must_continue_(head.expects_continue),
      ended_(head.body_kind == RequestBodyKind::kNone),
      left_(head.content_length) {}

Result<std::size_t> IncomingBody::read(std::span<char> into) {
  CHECK(!into.empty());
  if (problem_) return *problem_;
  if (ended_) return std::size_t{0};
  auto count = read_some(into);
  if (!count.ok()) problem_ = count.error();
  return count;
}

Result<std::size_t> IncomingBody::read_some(std::span<char> into) {
  if (must_continue_) {
    must_continue_ = false;
    if (input_.empty()) TALLY_TRY(channel_.write("HTTP/1.1 100 Continue\r\n\r\n"));
  }
  return kind_ == RequestBodyKind::kLength ? read_length(into) : read_chunked(into);
}

Result<std::size_t> IncomingBody::read_length(std::span<char> into) {
  into = into.first(std::min<std::uint64_t>(into.size(), left_));
  std::size_t count = std::min(into.size(), input_.view().size());
  if (count > 0) {
    std::memcpy(into.data(), input_.view().data(), count);
    input_.consume(count);
  } else {
    TALLY_TRY_ASSIGN(count, receive(into));
  }
  left_ -= count;
  ended_ = left_ == 0;
  return count;
}

Result<std::size_t> IncomingBody::read_chunked(std::span<char> into) {
  while (!decoder_.done()) {
    const std::uint64_t direct =
        std::min<std::uint64_t>(decoder_.data_left(), into.size());
    if (input_.empty() && direct >= kDirectReadBytes) {
      TALLY_TRY_ASSIGN(const std::size_t count, receive(into.first(direct)));
      decoder_.skip_data(count);
      return count;
    }
    if (input_.empty()) TALLY_TRY(fill_input());
    // While in a chunk's data no more than `into` holds may be looked at, so that what
    // does not fit stays undecoded.
    std::string_view view = input_.view();
    if (decoder_.data_left() == 0) {
      view = view.substr(0, std::min(view.size(), into.size()));
    } else {
      view = view.substr(0, std::min<std::uint64_t>(view.size(), direct));
    }
    TALLY_TRY_ASSIGN(const ChunkDecoder::Step step, decoder_.next(view));
    const std::size_t count = step.data.size();
    if (count > 0) std::memcpy(into.data(), step.data.data(), count);
    input_.consume(step.consumed);
    if (count > 0) return count;
  }
  ended_ = true;
  return std::size_t{0};
}

Result<void> IncomingBody::fill_input() {
  std::array<char, kChunkedInputBytes> arrived;
  TALLY_TRY_ASSIGN(const std::size_t count, receive(arrived));
  input_.append({arrived.data(), count});
  return {};
}

Result<std::size_t> IncomingBody::receive(std::span<char> into) {
  TALLY_TRY_ASSIGN(const std::size_t count, channel_.read(into));
  if (count == 0) return cut_short();
  return count;
}

Error IncomingBody::cut_short() const {
  if (kind_ == RequestBodyKind::kChunked) {
    return {ErrorCode::kUnavailable,
            "the connection ended before the last chunk of the body"};
  }
  return {ErrorCode::kUnavailable, "the connection ended " + std::to_string(left_) +
                                       " bytes before the end of the body"};
}

bool IncomingBody::may_be_drained(std::size_t bytes_max) const {
  if (failed()) return false;
  if (ended_) return true;
  if (must_continue_) return false;
  return kind_ == RequestBodyKind::kChunked ? chunk_is_within(bytes_max)
                                            : left_ <= bytes_max;
}

// False where what has arrived already says that the chunk under way is longer, or is
// broken.
bool IncomingBody::chunk_is_within(std::size_t bytes_max) const {
  ChunkDecoder ahead = decoder_;
  std::string_view arrived = input_.view();
  while (!arrived.empty() && !ahead.done()) {
    const auto step = ahead.next(arrived);
    if (!step.ok()) return false;
    arrived.remove_prefix(step.value().consumed);
  }
  return ahead.data_left() <= bytes_max;
}

bool IncomingBody::drain(std::size_t bytes_max) {
  if (!may_be_drained(bytes_max)) return false;
  std::array<char, kDirectReadBytes> scratch;
  std::size_t drained = 0;
  while (!ended_ && drained <= bytes_max) {
    const auto count = read(scratch);
    if (!count.ok()) return false;
    drained += count.value();
  }
  return ended_;
}

}  // namespace tallyman::http
