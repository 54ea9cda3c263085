// IncomingBody: the body of the request under way, taken off its connection.
//
// Bytes that came with the head are given first; after them a body with a length is read
// from the socket straight into the caller's buffer.
//
// Ownership: input and channel outlive it. Threads: one. Memory: 64 KiB while chunked.
// Errors: kUnreadable for broken framing, kUnavailable for a peer that is gone or lags;
// after one every read gives it again and the connection cannot be kept.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "http/channel.h"
#include "http/chunk_decoder.h"
#include "http/input_buffer.h"
#include "http/request_head.h"

namespace tallyman::http {

class IncomingBody {
 public:
  IncomingBody(const RequestHead& head, InputBuffer& input, Channel& channel);

  // 0 is the end. REQUIRES: `into` is not empty.
  Result<std::size_t> read(std::span<char> into);

  bool at_end() const { return ended_; }
  bool failed() const { return problem_.has_value(); }
  // False where what is left is known to be longer than `bytes_max`, or where the client
  // may still be waiting for "100 Continue" before it sends anything.
  bool may_be_drained(std::size_t bytes_max) const;
  // Reads and throws away. True when that reached the end within `bytes_max`.
  bool drain(std::size_t bytes_max);

 private:
  Result<std::size_t> read_some(std::span<char> into);
  Result<std::size_t> read_length(std::span<char> into);
  Result<std::size_t> read_chunked(std::span<char> into);
  Result<void> fill_input();
  Result<std::size_t> receive(std::span<char> into);
  bool chunk_is_within(std::size_t bytes_max) const;
  Error cut_short() const;

  const RequestBodyKind kind_;
  InputBuffer& input_;
  Channel& channel_;
  bool must_continue_;
  bool ended_;
  std::uint64_t left_;    // kLength.
  ChunkDecoder decoder_;  // kChunked.
  std::optional<Error> problem_;
};

}  // namespace tallyman::http
