// The few character rules of RFC 9110 that more than one file here needs.
//
// Threads: any. ASCII only, whatever the locale says.
#pragma once

#include <cstddef>
#include <string_view>

namespace tallyman::http {

constexpr char to_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A'))
                                        : letter;
}

constexpr bool equals_ignoring_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (to_lower(left[i]) != to_lower(right[i])) return false;
  }
  return true;
}

constexpr bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// The value of one hexadecimal digit, or -1.
constexpr int hex_value(char letter) {
  if (is_digit(letter)) return letter - '0';
  const char lower = to_lower(letter);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Control characters (RFC 5234 CTL): never part of a line that means something.
constexpr bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte < 0x20 || byte == 0x7f;
}

// Without the spaces and tabs at both ends (OWS).
constexpr std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace tallyman::http
