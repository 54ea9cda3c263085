#include "target/field_text.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <system_error>

#include "base/check.h"
#include "base/time_text.h"

namespace tallyman {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The number that two digits at `at` are, or -1.
int two_digits(std::string_view text, std::size_t at) {
  if (text.size() < at + 2 || !is_digit(text[at]) || !is_digit(text[at + 1])) return -1;
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

bool in(int value, int low, int high) { return value >= low && value <= high; }

// Takes hh:mm:ss[.ffffff] off the front.
bool take_time(std::string_view& text) {
  constexpr std::size_t kClock = 8;
  constexpr std::size_t kFractionDigitsMax = 6;
  if (text.size() < kClock || text[2] != ':' || text[5] != ':') return false;
  if (!in(two_digits(text, 0), 0, 23) || !in(two_digits(text, 3), 0, 59) ||
      !in(two_digits(text, 6), 0, 59)) {
    return false;
  }
  text.remove_prefix(kClock);
  if (!text.starts_with('.')) return true;
  std::size_t digits = 0;
  while (digits + 1 < text.size() && is_digit(text[digits + 1])) ++digits;
  text.remove_prefix(digits + 1);
  return digits >= 1 && digits <= kFractionDigitsMax;
}

bool is_offset(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return true;
  return text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':' &&
         in(two_digits(text, 1), 0, 23) && in(two_digits(text, 4), 0, 59);
}

bool is_same_letters(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

}  // namespace

bool is_text(CellKind kind) {
  return kind == CellKind::kText || kind == CellKind::kQuotedText;
}

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::optional<RecordErrorCode> code_of(TextFault fault) {
  switch (fault) {
    case TextFault::kNone: return std::nullopt;
    case TextFault::kMalformed: return RecordErrorCode::kInvalidType;
    case TextFault::kOutOfRange: return RecordErrorCode::kValueOutOfRange;
  }
  CHECK(false);
}

TextFault parse_integer(std::string_view text, std::int64_t& into) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return TextFault::kMalformed;
  }
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, into);
  if (read.ec == std::errc::invalid_argument || read.ptr != end) {
    return TextFault::kMalformed;
  }
  return read.ec == std::errc() ? TextFault::kNone : TextFault::kOutOfRange;
}

TextFault parse_float(std::string_view text, double& into) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  // Not the words and signs that from_chars would take: inf, nan, +-1.
  if (digits.empty() || !(is_digit(digits.front()) || digits.front() == '.')) {
    return TextFault::kMalformed;
  }
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, into);
  if (read.ec == std::errc::invalid_argument || read.ptr != end) {
    return TextFault::kMalformed;
  }
  if (read.ec == std::errc::result_out_of_range) {
    into = std::strtod(std::string(text).c_str(), nullptr);
  }
  if (into == 0) into = 0;
  return std::isfinite(into) ? TextFault::kNone : TextFault::kOutOfRange;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "1" || is_same_letters(text, "true") || is_same_letters(text, "t"))
    return true;
  if (text == "0" || is_same_letters(text, "false") || is_same_letters(text, "f")) {
    return false;
  }
  return std::nullopt;
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const int century = two_digits(text, 0);
  const int year = two_digits(text, 2);
  const int month = two_digits(text, 5);
  const int day = two_digits(text, 8);
  if (century < 0 || year < 0 || !in(month, 1, 12) || day < 1) return false;
  if (day <= 28) return century + year > 0;
  return century + year > 0 && is_calendar_day(century * 100 + year, month, day);
}

bool is_time(std::string_view text) { return take_time(text) && text.empty(); }

bool is_timestamp(std::string_view text) {
  constexpr std::size_t kDate = 10;
  if (text.size() <= kDate || !is_date(text.substr(0, kDate))) return false;
  const char between = text[kDate];
  if (between != 'T' && between != 't' && between != ' ') return false;
  text.remove_prefix(kDate + 1);
  return take_time(text) && is_offset(text);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : hex_digit(text[i]) < 0) return false;
  }
  return true;
}

bool is_json(std::string_view text) {
  thread_local simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

bool decode_bytes(std::string_view text, std::string& into) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return false;
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    into += static_cast<char>(high * 16 + low);
  }
  return true;
}

std::string encode_bytes(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\\x";
  text.reserve(2 + 2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string_view type_rule(FieldType type) {
  switch (type) {
    case FieldType::kInteger: return "must be a whole number such as 41";
    case FieldType::kDecimal: return "must be a decimal number such as 12.50";
    case FieldType::kFloat: return "must be a finite number such as 1.5e3";
    case FieldType::kBoolean: return "must be true or false";
    case FieldType::kText: return "must be text without the character U+0000";
    case FieldType::kDate: return "must be a day of the calendar such as 2024-01-31";
    case FieldType::kTime: return "must be a time such as 10:30:00 or 10:30:00.250000";
    case FieldType::kTimestamp:
      return "must be a point in time such as 2024-01-31T10:30:00Z";
    case FieldType::kUuid:
      return "must be a UUID such as 550e8400-e29b-41d4-a716-446655440000";
    case FieldType::kJson: return "must be one JSON value";
    case FieldType::kBytes: return "must be bytes as \\x and two hex digits each";
    case FieldType::kAny: return "must be a number or text without the character U+0000";
  }
  CHECK(false);
}

}  // namespace tallyman
