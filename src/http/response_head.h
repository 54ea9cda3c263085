// Writes the head of a response: status line, Date, the handler's headers, and the
// framing, which is the server's alone.
//
// Memory: appends to the caller's string. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace tallyman::http {

enum class BodyFraming {
  kNone,     // 1xx, 204, 304: no body and no length.
  kLength,   // Content-Length.
  kChunked,  // Transfer-Encoding: chunked.
  kToClose,  // HTTP/1.0: the body ends where the connection does.
};

struct ResponseFraming {
  BodyFraming framing;
  std::uint64_t content_length = 0;  // kLength only.
  bool keep_alive;
};

// Handlers' own Connection, Transfer-Encoding and Content-Length are left out, and
// control characters in their values become spaces: no value can add a header or a body.
void append_response_head(std::string& out, const Response& response,
                          const ResponseFraming& framing);

// "OK" for 200; "Status" for a number without a standard phrase.
std::string_view reason_phrase(int status);

}  // namespace tallyman::http
