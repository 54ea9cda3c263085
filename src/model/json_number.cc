#include "model/json_number.h"

#include <cstddef>

namespace tallyman {
namespace {

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// Drops the digits at the front; how many there were.
std::size_t take_digits(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  text.remove_prefix(digits);
  return digits;
}

// Drops sign, whole part and fraction; false where they are not there.
bool take_decimal(std::string_view& text) {
  take(text, "-");
  const bool leading_zero = text.starts_with('0');
  const std::size_t whole = take_digits(text);
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  return !take(text, ".") || take_digits(text) > 0;
}

}  // namespace

bool is_json_number(std::string_view text) {
  if (!take_decimal(text)) return false;
  if (!take(text, "eE")) return text.empty();
  take(text, "+-");
  return take_digits(text) > 0 && text.empty();
}

bool is_plain_decimal(std::string_view text) {
  return take_decimal(text) && text.empty();
}

}  // namespace tallyman
