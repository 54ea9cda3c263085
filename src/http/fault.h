// Fault: a request that the server itself answers, without asking the handler.
//
//   if (hosts != 1) return Fault::bad_request("the request has no Host header");
//   connection.write(to_response_bytes(fault));  // and closes
//
// Every fault ends its connection: after one, nobody knows where the next request starts.
//
// Threads: a value.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace tallyman::http {

struct Fault {
  int status;
  std::string_view code;  // Stable: "BAD_REQUEST". Points to a literal.
  std::string message;    // For a person; names the limit and the next step.

  static Fault bad_request(std::string message);       // 400
  static Fault timeout(std::string message);           // 408
  static Fault header_too_large(std::string message);  // 431
  static Fault too_many(std::string message);          // 429, Retry-After
  static Fault overloaded(std::string message);        // 503, Retry-After
  static Fault unavailable();                          // 503, Retry-After
  static Fault internal();                             // 500
};

// `{"error": ..., "code": ...}` with the fault's status.
Response to_response(const Fault& fault);

// The whole answer as it goes over the wire, with `Connection: close`.
std::string to_response_bytes(const Fault& fault);

}  // namespace tallyman::http
