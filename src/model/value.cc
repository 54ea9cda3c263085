#include "tallyman/value.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

namespace tallyman {
namespace {

// A number taken apart: `digits` times ten to the power of `exponent`.
struct Digits {
  bool negative = false;
  std::string digits;  // Without zeros at either end; empty: zero.
  std::int64_t exponent = 0;
};

constexpr std::int64_t kExponentMax = 1'000'000'000;

bool is_number(Value::Kind kind) {
  return kind == Value::Kind::kInteger || kind == Value::Kind::kDecimal ||
         kind == Value::Kind::kFloat;
}

std::size_t count_digits(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789");
  return end == std::string_view::npos ? text.size() : end;
}

std::optional<std::int64_t> read_exponent(std::string_view text) {
  if (text.empty()) return 0;
  if (text.front() != 'e' && text.front() != 'E') return std::nullopt;
  text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || count_digits(text) != text.size()) return std::nullopt;
  std::int64_t exponent = 0;
  for (const char digit : text) {
    exponent = std::min(exponent * 10 + (digit - '0'), kExponentMax);
  }
  return negative ? -exponent : exponent;
}

std::optional<Digits> take_apart(std::string_view text) {
  Digits number;
  number.negative = text.starts_with('-');
  if (number.negative) text.remove_prefix(1);
  const std::size_t whole = count_digits(text);
  number.digits = text.substr(0, whole);
  text.remove_prefix(whole);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = count_digits(text);
    number.digits += text.substr(0, fraction);
    text.remove_prefix(fraction);
  }
  const auto exponent = read_exponent(text);
  if (!exponent || number.digits.empty()) return std::nullopt;
  number.exponent = *exponent - static_cast<std::int64_t>(fraction);

  number.digits.erase(0, number.digits.find_first_not_of('0'));
  while (number.digits.ends_with('0')) {
    number.digits.pop_back();
    ++number.exponent;
  }
  return number;
}

}  // namespace

std::optional<std::int64_t> Value::integer() const {
  if (!is_number(kind_)) return std::nullopt;
  auto number = take_apart(text_);
  if (!number) return std::nullopt;
  if (number->digits.empty()) return 0;
  constexpr std::int64_t kDigitsMax = std::numeric_limits<std::int64_t>::digits10 + 1;
  const auto size = static_cast<std::int64_t>(number->digits.size());
  if (number->exponent < 0 || size + number->exponent > kDigitsMax) return std::nullopt;

  std::string digits = number->negative ? "-" : "";
  digits += number->digits;
  digits.append(static_cast<std::size_t>(number->exponent), '0');
  std::int64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc()) return std::nullopt;
  return value;
}

std::optional<double> Value::number() const {
  if (!is_number(kind_)) return std::nullopt;
  const char* const end = text_.data() + text_.size();
  double value = 0;
  const auto read = std::from_chars(text_.data(), end, value);
  if (read.ec == std::errc())
    return read.ptr == end ? std::optional(value) : std::nullopt;
  if (read.ec != std::errc::result_out_of_range) return std::nullopt;

  // from_chars does not say on which side: the nearest is infinity or zero.
  const auto number = take_apart(text_);
  if (!number) return std::nullopt;
  const bool large =
      static_cast<std::int64_t>(number->digits.size()) + number->exponent > 0;
  value = large ? std::numeric_limits<double>::infinity() : 0.0;
  return number->negative ? -value : value;
}

}  // namespace tallyman
