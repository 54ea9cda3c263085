#include "tallyman/value.h"

#include <charconv>
#include <cstdlib>
#include <system_error>

#include "base/decimal.h"

namespace tallyman {
namespace {

bool is_number(Value::Kind kind) {
  return kind == Value::Kind::kInteger || kind == Value::Kind::kDecimal ||
         kind == Value::Kind::kFloat;
}

}  // namespace

std::optional<std::int64_t> Value::integer() const {
  if (!is_number(kind_)) return std::nullopt;
  const auto exact = Decimal::parse(text_);
  return exact ? exact->integer() : std::nullopt;
}

std::optional<double> Value::number() const {
  if (!is_number(kind_)) return std::nullopt;
  const char* const end = text_.data() + text_.size();
  double value = 0;
  const auto read = std::from_chars(text_.data(), end, value);
  if (read.ec == std::errc::invalid_argument || read.ptr != end) return std::nullopt;
  if (read.ec == std::errc()) return value;
  // Too large or too small: from_chars does not say which, strtod gives infinity or zero.
  return std::strtod(std::string(text_).c_str(), nullptr);
}

}  // namespace tallyman
