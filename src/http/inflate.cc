#include "http/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <climits>
#include <optional>
#include <string>

#include "base/check.h"

namespace tallyman::http {
namespace {

constexpr std::size_t kInputBytes = 64 * 1024;
// zlib's own code for "a gzip header, and the largest window".
constexpr int kGzipWindowBits = 16 + MAX_WBITS;

class InflatingStream final : public BodyStream {
 public:
  InflatingStream(std::unique_ptr<BodyStream> source, InflateLimits limits)
      : source_(std::move(source)), limits_(limits) {
    CHECK(limits.expansion_ratio_max > 0);
    CHECK(inflateInit2(&state_, kGzipWindowBits) == Z_OK);
  }
  InflatingStream(const InflatingStream&) = delete;
  InflatingStream& operator=(const InflatingStream&) = delete;
  ~InflatingStream() override { inflateEnd(&state_); }

  Result<std::size_t> read(std::span<char> into) override {
    CHECK(!into.empty());
    if (problem_) return *problem_;
    auto count = expand(into.first(std::min<std::size_t>(into.size(), UINT_MAX)));
    if (count.ok()) count = within_limits(count.value());
    if (!count.ok()) problem_ = count.error();
    return count;
  }

 private:
  // At least one byte, or 0 at the end.
  Result<std::size_t> expand(std::span<char> into) {
    state_.next_out = reinterpret_cast<Bytef*>(into.data());
    state_.avail_out = static_cast<uInt>(into.size());
    while (state_.avail_out == into.size()) {
      if (state_.avail_in == 0 && !source_ended_ && !may_hold_output_) TALLY_TRY(fill());
      if (state_.avail_in == 0 && between_members_) {
        if (members_ == 0) return unreadable("it is empty");
        return std::size_t{0};
      }
      TALLY_TRY(step());
    }
    return into.size() - state_.avail_out;
  }

  Result<void> step() {
    between_members_ = false;
    const int answer = ::inflate(&state_, Z_NO_FLUSH);
    may_hold_output_ = answer == Z_OK && state_.avail_out == 0;
    switch (answer) {
      case Z_OK: return {};
      case Z_STREAM_END:
        ++members_;
        between_members_ = true;
        CHECK(inflateReset(&state_) == Z_OK);
        return {};
      case Z_BUF_ERROR:
        if (source_ended_) return unreadable("it ends before the end of its last member");
        return {};
      case Z_MEM_ERROR: return Error{ErrorCode::kUnavailable, "gzip: out of memory"};
      default:
        return unreadable(members_ > 0 && state_.total_out == 0
                              ? "something that is not gzip follows its last member"
                              : "it is not gzip, or it is damaged");
    }
  }

  Result<void> fill() {
    TALLY_TRY_ASSIGN(const std::size_t count, source_->read(input_));
    source_ended_ = count == 0;
    received_ += count;
    if (received_ > received_bytes_max()) {
      return Error{ErrorCode::kTooLarge,
                   "the gzip body has more than " + std::to_string(received_bytes_max()) +
                       " bytes, which is more than upload_bytes_max can come to; send it "
                       "in parts"};
    }
    state_.next_in = reinterpret_cast<Bytef*>(input_.data());
    state_.avail_in = static_cast<uInt>(count);
    return {};
  }

  Result<std::size_t> within_limits(std::size_t count) {
    expanded_ += count;
    if (expanded_ > limits_.expanded_bytes_max) {
      return Error{ErrorCode::kTooLarge,
                   "the gzip body is longer than " +
                       std::to_string(limits_.expanded_bytes_max) +
                       " bytes (upload_bytes_max); send it in parts"};
    }
    if (expanded_ > limits_.expansion_ratio_free_bytes &&
        expanded_ / limits_.expansion_ratio_max > received_ - state_.avail_in) {
      return Error{ErrorCode::kTooLarge,
                   "the gzip body expands to more than " +
                       std::to_string(limits_.expansion_ratio_max) +
                       " times its size (expansion_ratio_max); send it uncompressed"};
    }
    return count;
  }

  // A header or empty members without an end bring bytes in, and none out. Data that
  // cannot be compressed grows by less than this.
  std::uint64_t received_bytes_max() const {
    return limits_.expanded_bytes_max + limits_.expanded_bytes_max / 64 + 1024;
  }

  static Error unreadable(std::string_view what) {
    return {ErrorCode::kUnreadable,
            "the body says that it is gzip, but " + std::string(what)};
  }

  const std::unique_ptr<BodyStream> source_;
  const InflateLimits limits_;
  z_stream state_{};
  std::array<char, kInputBytes> input_;
  std::uint64_t received_ = 0;
  std::uint64_t expanded_ = 0;
  std::uint64_t members_ = 0;
  bool source_ended_ = false;
  bool between_members_ = true;
  // The last call filled its output to the brim: zlib may have more without any input.
  bool may_hold_output_ = false;
  std::optional<Error> problem_;
};

}  // namespace

std::unique_ptr<BodyStream> inflate(std::unique_ptr<BodyStream> source,
                                    InflateLimits limits) {
  return std::make_unique<InflatingStream>(std::move(source), limits);
}

}  // namespace tallyman::http
