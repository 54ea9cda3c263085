// Reads the target of a request line: "/api/users/jobs/?limit=5" -> path and parameters.
//
//   const auto target = parse_request_target("/a%20b?x=1+2");
//   std::get<RequestTarget>(target).path;   // "/a b"
//
// One reading only: whatever two programs might read differently is refused. That is
// percent signs without two digits, "%00" and other control characters, "%2F" and "%5C"
// (slashes that are data), "." and ".." as segments, "#", and bytes that are not UTF-8.
//
// Threads: any. Memory: copies. Errors: a Fault with status 400.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "http/fault.h"

namespace tallyman::http {

struct RequestTarget {
  std::string path;  // Decoded; begins with exactly one slash.
  std::vector<std::pair<std::string, std::string>> query;
  // Of the absolute form "http://host:80/path" (RFC 9112, 3.2.2); else empty.
  std::string authority;
};

std::variant<RequestTarget, Fault> parse_request_target(std::string_view target);

}  // namespace tallyman::http
