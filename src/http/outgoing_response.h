// Sends a response, whole or streamed.
//
// Ownership: looks only. Threads: one; BodySink::stopping() looks at `stopping`.
// Memory: 64 KiB for a streamed one.
#pragma once

#include <atomic>

#include "base/result.h"
#include "http/channel.h"
#include "http/message.h"

namespace tallyman::http {

struct AnswerTo {
  bool head_request;  // HEAD: the head only.
  bool http_1_1;      // Else no chunks: a streamed body ends where the connection does.
  bool keep_alive;
  const std::atomic<bool>& stopping;
};

// How sending ended.
enum class Sent {
  kWhole,
  kNothing,  // The stream failed before a byte was sent: another answer can still be
             // given.
  kCut,      // The peer is gone, or the stream failed: the answer must look broken.
};

struct SendReport {
  Sent sent;
  std::string problem = {};  // Why, where the stream failed while the peer was there.
  bool may_pass = false;     // The same request may succeed later.
};

// Exceptions of `response.stream` are caught and reported as its failure.
SendReport send_response(Channel& channel, const Response& response, const AnswerTo& to);

}  // namespace tallyman::http
