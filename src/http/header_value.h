// A header value with parameters: `text/csv; charset="utf-8"` (RFC 9110, 5.6.6).
//
//   const auto type = parse_header_value(R"(multipart/form-data; boundary="a b")");
//   type->value;                    // "multipart/form-data", in lower case
//   type->parameter("boundary");    // "a b"
//
// Threads: any. Memory: copies.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tallyman::http {

struct HeaderValue {
  std::string value;
  // Names in lower case, values without their quotes.
  std::vector<std::pair<std::string, std::string>> parameters;

  std::optional<std::string_view> parameter(std::string_view name) const;
};

// Nothing where a quote is not closed, a parameter has no name or one is there twice.
std::optional<HeaderValue> parse_header_value(std::string_view text);

}  // namespace tallyman::http
