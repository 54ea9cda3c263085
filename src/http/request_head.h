// Reads the head of a request: everything up to and with the empty line.
//
//   const auto head = parse_request_head("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//   if (const auto* fault = std::get_if<Fault>(&head)) ...answer it and close
//
// Strict, because a request that two programs cut differently lets one client speak for
// another (RFC 9112, 11.2): CRLF only, no folded lines, exactly one Host, one plain
// Content-Length or one "Transfer-Encoding: chunked", never both.
//
// Threads: any. Memory: copies. Errors: a Fault; 400 unless a more precise status exists.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "http/fault.h"
#include "http/message.h"

namespace tallyman::http {

// More header lines than any client sends; each costs two allocations.
constexpr std::size_t kHeaderLinesMax = 100;

enum class RequestBodyKind { kNone, kLength, kChunked };

struct RequestHead {
  std::string method;
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  Headers headers;
  bool http_1_1 = true;  // Else HTTP/1.0.
  bool keep_alive = true;
  bool expects_continue = false;
  RequestBodyKind body_kind = RequestBodyKind::kNone;
  std::uint64_t content_length = 0;  // kLength only.
};

// REQUIRES: `bytes` ends with the first "\r\n\r\n" in it.
std::variant<RequestHead, Fault> parse_request_head(std::string_view bytes);

struct HeadEnd {
  std::size_t size = 0;  // Of the head with its empty line; 0: it has not all arrived.
  bool bare_line_feed = false;
};

// Looks for the end of the head in `bytes`, of which `searched` were seen by an earlier
// call.
HeadEnd find_head_end(std::string_view bytes, std::size_t searched);

}  // namespace tallyman::http
