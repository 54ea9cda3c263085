#include "http/chunk_decoder.h"

#include <algorithm>

#include "http/ascii.h"

namespace tallyman::http {
namespace {

// 15 digits are 2^60 bytes: more than any body, and no sum of sizes can overflow.
constexpr int kSizeDigitsMax = 15;

Error unreadable(std::string_view what) {
  return {ErrorCode::kUnreadable, "chunked body: " + std::string(what)};
}

}  // namespace

Result<ChunkDecoder::Step> ChunkDecoder::next(std::string_view input) {
  Step step;
  while (step.consumed < input.size() && !done()) {
    if (state_ == State::kData) {
      const std::size_t taken =
          std::min<std::uint64_t>(left_, input.size() - step.consumed);
      step.data = input.substr(step.consumed, taken);
      step.consumed += taken;
      skip_data(taken);
      return step;
    }
    TALLY_TRY(take(input[step.consumed]));
    ++step.consumed;
  }
  return step;
}

void ChunkDecoder::skip_data(std::uint64_t bytes) {
  CHECK(bytes <= data_left());
  left_ -= bytes;
  if (left_ == 0) state_ = State::kDataReturn;
}

Result<void> ChunkDecoder::take_size_digit(char letter) {
  const int value = hex_value(letter);
  if (value < 0) {
    if (digits_ == 0) return unreadable("a chunk size is not a hexadecimal number");
    extension_bytes_ = 0;
    if (letter == '\r') {
      state_ = State::kSizeLineFeed;
    } else if (letter == ';') {
      state_ = State::kExtension;
    } else {
      return unreadable("a chunk size is not a hexadecimal number");
    }
    return {};
  }
  if (++digits_ > kSizeDigitsMax)
    return unreadable("a chunk size has more than 15 digits");
  left_ = left_ * 16 + static_cast<std::uint64_t>(value);
  state_ = State::kSize;
  return {};
}

Result<void> ChunkDecoder::take(char letter) {
  switch (state_) {
    case State::kSizeStart:
      left_ = 0;
      digits_ = 0;
      return take_size_digit(letter);
    case State::kSize: return take_size_digit(letter);
    case State::kExtension:
      if (letter == '\r') {
        state_ = State::kSizeLineFeed;
      } else if (is_control(letter) && letter != '\t') {
        return unreadable("a chunk extension has a control character");
      } else if (++extension_bytes_ > kChunkExtensionBytesMax) {
        return unreadable("a chunk extension is longer than 256 bytes");
      }
      return {};
    case State::kSizeLineFeed:
      if (letter != '\n') return unreadable("a chunk size line does not end with CR LF");
      state_ = left_ > 0 ? State::kData : State::kTrailerStart;
      return {};
    case State::kDataReturn:
      if (letter != '\r') return unreadable("a chunk is longer than its size says");
      state_ = State::kDataLineFeed;
      return {};
    case State::kDataLineFeed:
      if (letter != '\n') return unreadable("a chunk does not end with CR LF");
      state_ = State::kSizeStart;
      return {};
    case State::kTrailerStart:
    case State::kTrailer:
      if (letter == '\r') {
        state_ = state_ == State::kTrailerStart ? State::kLastLineFeed
                                                : State::kTrailerLineFeed;
        return {};
      }
      if (is_control(letter) && letter != '\t') {
        return unreadable("a trailer line has a control character");
      }
      if (++trailer_bytes_ > kTrailerBytesMax)
        return unreadable("the trailers pass 4096 bytes");
      state_ = State::kTrailer;
      return {};
    case State::kTrailerLineFeed:
      if (letter != '\n') return unreadable("a trailer line does not end with CR LF");
      state_ = State::kTrailerStart;
      return {};
    case State::kLastLineFeed:
      if (letter != '\n') return unreadable("the body does not end with CR LF");
      state_ = State::kDone;
      return {};
    case State::kData:
    case State::kDone: break;
  }
  CHECK(false);
  return {};
}

}  // namespace tallyman::http
