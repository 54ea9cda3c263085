// ChunkDecoder: takes the chunked framing (RFC 9112, 7.1) off a body, a buffer at a time.
//
//   ChunkDecoder decoder;
//   while (!decoder.done()) {
//     TALLY_TRY_ASSIGN(const auto step, decoder.next(input));  // input: what has arrived
//     use(step.data);                                          // may be empty
//     input.remove_prefix(step.consumed);                      // 0: wait for more bytes
//   }
//
// Strict: sizes are hexadecimal digits only, lines end with CR LF, extensions and
// trailers are bounded and thrown away.
//
// Ownership: `step.data` points into `input`. Threads: none of its own.
// Memory: constant. Errors: kUnreadable; nothing can be read after one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace tallyman::http {

// Extensions mean nothing here; a chunk of one byte with a long one is only a flood.
constexpr std::size_t kChunkExtensionBytesMax = 256;
// Trailers mean nothing here either.
constexpr std::size_t kTrailerBytesMax = 4096;

class ChunkDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  // From the front of the input, framing and data.
    std::string_view data;     // The part of it that is body.
  };

  // Gives at most one run of body bytes a call.
  Result<Step> next(std::string_view input);

  // The last chunk and the trailers have been read.
  bool done() const { return state_ == State::kDone; }

  // Body bytes that are certain to come next without any framing between; 0 outside a
  // chunk.
  std::uint64_t data_left() const { return state_ == State::kData ? left_ : 0; }

  // Tells it that `bytes` of data_left() were read past it, straight from the connection.
  // REQUIRES: bytes <= data_left().
  void skip_data(std::uint64_t bytes);

 private:
  enum class State {
    kSizeStart,
    kSize,
    kExtension,
    kSizeLineFeed,
    kData,
    kDataReturn,
    kDataLineFeed,
    kTrailerStart,
    kTrailer,
    kTrailerLineFeed,
    kLastLineFeed,
    kDone,
  };

  Result<void> take(char letter);
  Result<void> take_size_digit(char letter);

  State state_ = State::kSizeStart;
  std::uint64_t left_ = 0;  // Of the current chunk.
  int digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
};

}  // namespace tallyman::http
