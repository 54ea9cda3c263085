#include "http/multipart_parts.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace tallyman::http {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
// What stands before the first boundary is "this is a MIME message" at most.
constexpr std::size_t kPreambleBytesMax = 4 * 1024;
// Spaces and tabs that gateways may leave after a boundary.
constexpr std::size_t kPaddingBytesMax = 64;

Error unreadable(std::string_view what) {
  return {ErrorCode::kUnreadable, "multipart body: " + std::string(what)};
}

}  // namespace

MultipartParts::MultipartParts(std::unique_ptr<BodyStream> source,
                               std::string_view boundary)
    : source_(std::move(source)),
      dashed_("--" + std::string(boundary)),
      buffer_(2 * kReadBytes) {}

Error MultipartParts::not_closed() {
  return unreadable("it ends without its closing boundary; it was cut, or never closed");
}

Result<bool> MultipartParts::fill() {
  if (source_ended_) return false;
  if (buffer_.size() - end_ < kReadBytes) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    // Header lines may have filled it.
    if (buffer_.size() - end_ < kReadBytes) buffer_.resize(end_ + kReadBytes);
  }
  TALLY_TRY_ASSIGN(const std::size_t count,
                   source_->read(std::span(buffer_).subspan(end_, kReadBytes)));
  end_ += count;
  source_ended_ = count == 0;
  return !source_ended_;
}

Result<std::string> MultipartParts::read_line(std::size_t bytes_max) {
  std::size_t searched = 0;
  while (true) {
    const std::size_t at = view().find('\n', searched);
    if (std::min(at, view().size()) > bytes_max) {
      return Error{ErrorCode::kTooLarge,
                   "multipart body: the header of a part is longer than " +
                       std::to_string(bytes_max) + " bytes"};
    }
    if (at != std::string_view::npos) {
      std::string line(view().substr(0, at));
      consume(at + 1);
      return line;
    }
    searched = view().size();
    TALLY_TRY_ASSIGN(const bool more, fill());
    if (!more) return not_closed();
  }
}

Result<void> MultipartParts::find_first() {
  std::size_t skipped = 0;
  while (true) {
    TALLY_TRY_ASSIGN(const std::string line, read_line(kPreambleBytesMax));
    std::string_view rest = line;
    if (rest.starts_with(dashed_)) {
      rest.remove_prefix(dashed_.size());
      if (rest.starts_with("--")) return unreadable("it has no part at all");
      if (rest.find_first_not_of(" \t\r") == std::string_view::npos) {
        // The line end of the first boundary is that of all.
        delimiter_ = (rest.ends_with('\r') ? "\r\n" : "\n") + dashed_;
        part_ended_ = true;
        return {};
      }
    }
    skipped += line.size() + 1;
    if (skipped > kPreambleBytesMax) {
      return unreadable("its first boundary is not at its beginning");
    }
  }
}

Result<std::vector<std::string>> MultipartParts::read_header_lines(
    std::size_t bytes_max) {
  CHECK(part_ended_ && !closed_);
  std::vector<std::string> lines;
  std::size_t left = bytes_max;
  while (true) {
    TALLY_TRY_ASSIGN(std::string line, read_line(left));
    left -= line.size();
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) break;
    lines.push_back(std::move(line));
  }
  part_ended_ = false;
  at_part_start_ = true;
  return lines;
}

MultipartParts::Tail MultipartParts::judge_tail(std::string_view after,
                                                std::size_t& length) const {
  if (after.starts_with("--")) {
    length = 2;
    return Tail::kClosing;
  }
  if (after.empty() || after == "-") return Tail::kUnknown;
  std::size_t at = std::min(after.find_first_not_of(" \t"), after.size());
  if (at > kPaddingBytesMax) return Tail::kOther;
  if (at < after.size() && after[at] == '\r') ++at;
  if (at == after.size()) return Tail::kUnknown;
  if (after[at] != '\n') return Tail::kOther;
  length = at + 1;
  return Tail::kBoundary;
}

std::size_t MultipartParts::find_delimiter() const {
  const std::string_view bytes = view();
  const void* const found =
      ::memmem(bytes.data(), bytes.size(), delimiter_.data(), delimiter_.size());
  if (found != nullptr)
    return static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
  // The end may be the beginning of one.
  const std::size_t held = std::min(bytes.size(), delimiter_.size() - 1);
  for (std::size_t at = bytes.size() - held; at < bytes.size(); ++at) {
    if (delimiter_.starts_with(bytes.substr(at))) return at;
  }
  return bytes.size();
}

// True where a delimiter of `length` bytes at the front was one, and has been taken.
Result<bool> MultipartParts::take_delimiter(std::size_t length) {
  std::size_t tail_length = 0;
  while (true) {
    switch (judge_tail(view().substr(length), tail_length)) {
      case Tail::kClosing: closed_ = true; [[fallthrough]];
      case Tail::kBoundary:
        consume(length + tail_length);
        part_ended_ = true;
        return true;
      case Tail::kOther: return false;
      case Tail::kUnknown: break;
    }
    TALLY_TRY_ASSIGN(const bool more, fill());
    if (!more) return not_closed();
  }
}

Result<std::size_t> MultipartParts::read(std::span<char> into) {
  CHECK(!into.empty());
  std::size_t not_here =
      0;  // Bytes at the front that look like a delimiter and are none.
  while (!part_ended_) {
    if (at_part_start_) {
      if (view().size() < dashed_.size() && dashed_.starts_with(view())) {
        TALLY_TRY_ASSIGN(const bool more, fill());
        if (!more) return not_closed();
        continue;
      }
      at_part_start_ = false;
      if (view().starts_with(dashed_)) {
        TALLY_TRY_ASSIGN(const bool taken, take_delimiter(dashed_.size()));
        if (taken) break;
      }
    }
    const std::size_t at = not_here > 0 ? not_here : find_delimiter();
    if (at > 0) {
      const std::size_t count = std::min(at, into.size());
      std::memcpy(into.data(), view().data(), count);
      consume(count);
      return count;
    }
    if (view().size() >= delimiter_.size()) {
      TALLY_TRY_ASSIGN(const bool taken, take_delimiter(delimiter_.size()));
      if (!taken) not_here = 1;
      continue;
    }
    TALLY_TRY_ASSIGN(const bool more, fill());
    if (!more) return not_closed();
  }
  return std::size_t{0};
}

}  // namespace tallyman::http
