// The small parts of JSON text (RFC 8259): white space and what stands in strings.
//
// Threads: free functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tallyman {

// Space, tab, LF and CR: what JSON has between its tokens.
inline constexpr std::string_view kJsonWhiteSpace = " \t\n\r";

constexpr bool is_json_white_space(char byte) {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

// `text` without white space at its end.
constexpr std::string_view trim_json_end(std::string_view text) {
  while (!text.empty() && is_json_white_space(text.back())) text.remove_suffix(1);
  return text;
}

// Decodes what stands between the quotes of a string; returns the bytes written, which
// are at most as many. nullopt for an escape that is none, a lone surrogate, or U+0000
// (which no database takes in a text). REQUIRES: `out` has room for inside.size() bytes.
std::optional<std::size_t> json_unescape(std::string_view inside, char* out);

// The same judgement without the text.
bool is_json_string_inside(std::string_view inside);

}  // namespace tallyman
