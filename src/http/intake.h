// Intake: decides when enough of a request has arrived to give it a thread.
//
// That is its head and the first 16 KiB of its body (all of it, where it is shorter): a
// peer that sends a byte now and then never holds a thread. A client that waits for "100
// Continue" is let through with its head alone.
//
// Ownership: takes what it has read off `input`, but leaves the body there.
// Threads: one at a time. Errors: a Fault; the connection has to end with it.
#pragma once

#include <cstddef>
#include <optional>

#include "http/chunk_decoder.h"
#include "http/fault.h"
#include "http/input_buffer.h"
#include "http/request_head.h"

namespace tallyman::http {

constexpr std::size_t kFirstBodyBytes = 16 * 1024;

class Intake {
 public:
  enum class State { kEmpty, kHead, kBody, kReady, kFault };

  explicit Intake(std::size_t header_bytes_max) : header_bytes_max_(header_bytes_max) {}

  // Looks at what has arrived since the last call.
  State advance(InputBuffer& input);

  State state() const { return state_; }
  // Ready for the next request after it. REQUIRES: kReady.
  RequestHead take_head();
  // REQUIRES: kFault.
  const Fault& fault() const { return *fault_; }

 private:
  State advance_head(InputBuffer& input);
  State advance_body(const InputBuffer& input);
  State advance_chunked(std::string_view arrived);
  State fail(Fault fault);

  std::size_t header_bytes_max_;
  State state_ = State::kEmpty;
  std::size_t searched_ =
      0;  // Bytes of the head, or of a chunked body, already looked at.
  bool skipped_empty_line_ = false;
  std::optional<RequestHead> head_;
  std::optional<Fault> fault_;
  ChunkDecoder decoder_;
};

}  // namespace tallyman::http
