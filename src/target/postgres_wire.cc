#include "target/postgres_wire.h"

#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "db/postgres_params.h"
#include "target/postgres_numeric.h"

namespace tallyman {
namespace {

using db::append_wire16;
using db::append_wire32;
using db::append_wire64;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
// Days from 1970-01-01 to 2000-01-01.
constexpr int kEpochDays = 10'957;

int digit(char c) { return c - '0'; }
int two_digits(std::string_view text, std::size_t at) {
  return digit(text[at]) * 10 + digit(text[at + 1]);
}

// --- Times ----------------------------------------------------------------------------

// REQUIRES: is_date(text).
std::int32_t days_of(std::string_view text) {
  using namespace std::chrono;
  const year_month_day date(year(two_digits(text, 0) * 100 + two_digits(text, 2)),
                            month(static_cast<unsigned>(two_digits(text, 5))),
                            day(static_cast<unsigned>(two_digits(text, 8))));
  return static_cast<std::int32_t>(sys_days(date).time_since_epoch().count()) -
         kEpochDays;
}

struct Clock {
  std::int64_t micros = 0;
  int second_digits = 0;  // Without zeros at their end.
};

// Takes the clock off the front. REQUIRES: it was found to be one.
Clock take_clock(std::string_view& text) {
  constexpr std::size_t kClockSize = 8;
  Clock clock;
  clock.micros =
      ((two_digits(text, 0) * 60 + two_digits(text, 3)) * 60 + two_digits(text, 6)) *
      kMicrosPerSecond;
  text.remove_prefix(kClockSize);
  if (!text.starts_with('.')) return clock;
  text.remove_prefix(1);
  std::int64_t unit = kMicrosPerSecond / 10;
  for (int place = 1; !text.empty() && text.front() >= '0' && text.front() <= '9';
       ++place, unit /= 10) {
    clock.micros += unit * digit(text.front());
    if (text.front() != '0') clock.second_digits = place;
    text.remove_prefix(1);
  }
  return clock;
}

// REQUIRES: it is empty, Z or an offset.
std::int64_t offset_micros(std::string_view text) {
  if (text.size() != 6) return 0;
  const std::int64_t minutes = two_digits(text, 1) * 60 + two_digits(text, 4);
  return (text.front() == '-' ? -minutes : minutes) * 60 * kMicrosPerSecond;
}

void append_padded(std::int64_t number, int width, std::string& into) {
  const std::string digits = std::to_string(number);
  if (static_cast<std::size_t>(width) > digits.size()) {
    into.append(static_cast<std::size_t>(width) - digits.size(), '0');
  }
  into += digits;
}

// The year of a BC date is told by the caller.
bool append_date(std::int64_t days, std::string& into) {
  // std::chrono's years end at 32767: whole cycles of the calendar are put aside.
  constexpr std::int64_t kCycleDays = 146'097;
  constexpr std::int64_t kCycleYears = 400;
  std::int64_t since_1970 = days + kEpochDays;
  std::int64_t cycles = since_1970 / kCycleDays;
  since_1970 %= kCycleDays;
  using namespace std::chrono;
  const year_month_day date(
      sys_days(std::chrono::days(static_cast<std::int32_t>(since_1970))));
  std::int64_t year = static_cast<int>(date.year()) + cycles * kCycleYears;
  const bool before_christ = year <= 0;
  if (before_christ) year = 1 - year;
  append_padded(year, 4, into);
  into += '-';
  append_padded(static_cast<unsigned>(date.month()), 2, into);
  into += '-';
  append_padded(static_cast<unsigned>(date.day()), 2, into);
  return before_christ;
}

void append_clock(std::int64_t micros, std::string& into) {
  const std::int64_t seconds = micros / kMicrosPerSecond;
  std::int64_t fraction = micros % kMicrosPerSecond;
  append_padded(seconds / 3600, 2, into);
  into += ':';
  append_padded(seconds / 60 % 60, 2, into);
  into += ':';
  append_padded(seconds % 60, 2, into);
  if (fraction == 0) return;
  into += '.';
  append_padded(fraction, 6, into);
  while (into.ends_with('0')) into.pop_back();
}

void append_date_text(std::string_view bytes, std::string& into) {
  const auto days = static_cast<std::int32_t>(db::read_wire32(bytes));
  if (days == INT32_MAX || days == INT32_MIN) {
    into += days > 0 ? "infinity" : "-infinity";
    return;
  }
  if (append_date(days, into)) into += " BC";
}

void append_timestamp_text(std::string_view bytes, bool zoned, std::string& into) {
  const auto micros = static_cast<std::int64_t>(db::read_wire64(bytes));
  if (micros == INT64_MAX || micros == INT64_MIN) {
    into += micros > 0 ? "infinity" : "-infinity";
    return;
  }
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t clock = micros % kMicrosPerDay;
  if (clock < 0) {
    clock += kMicrosPerDay;
    --days;
  }
  const bool before_christ = append_date(days, into);
  into += 'T';
  append_clock(clock, into);
  if (zoned) into += 'Z';
  if (before_christ) into += " BC";
}

// --- Floats and the rest --------------------------------------------------------------

template <class Float>
void append_float(Float value, std::string& into) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  into.append(buffer, end.ptr);
}

void append_uuid_text(std::string_view bytes, std::string& into) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) into += '-';
    const auto byte = static_cast<unsigned char>(bytes[i]);
    into += kDigits[byte >> 4];
    into += kDigits[byte & 15];
  }
}

int hex_value(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

}  // namespace

TextFault encode_float4(std::string_view text, std::string& into) {
  double checked = 0;
  const TextFault fault = parse_float(text, checked);
  if (fault != TextFault::kNone) return fault;
  if (text.starts_with('+')) text.remove_prefix(1);
  // Not by way of the double, which would round twice.
  float value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc::result_out_of_range) {
    value = std::strtof(std::string(text).c_str(), nullptr);
  }
  if (!std::isfinite(value)) return TextFault::kOutOfRange;
  if (value == 0) value = 0;
  append_wire32(into, std::bit_cast<std::uint32_t>(value));
  return TextFault::kNone;
}

TextFault encode_float8(std::string_view text, std::string& into) {
  double value = 0;
  const TextFault fault = parse_float(text, value);
  if (fault != TextFault::kNone) return fault;
  append_wire64(into, std::bit_cast<std::uint64_t>(value));
  return TextFault::kNone;
}

TextFault encode_date(std::string_view text, std::string& into) {
  if (!is_date(text)) return TextFault::kMalformed;
  append_wire32(into, static_cast<std::uint32_t>(days_of(text)));
  return TextFault::kNone;
}

TextFault encode_time(std::string_view text, int second_digits, std::string& into) {
  if (!is_time(text)) return TextFault::kMalformed;
  const Clock clock = take_clock(text);
  if (clock.second_digits > second_digits) return TextFault::kOutOfRange;
  append_wire64(into, static_cast<std::uint64_t>(clock.micros));
  return TextFault::kNone;
}

TextFault encode_timestamp(std::string_view text, int second_digits, std::string& into) {
  constexpr std::size_t kDateSize = 10;
  if (!is_timestamp(text)) return TextFault::kMalformed;
  const std::int64_t days = days_of(text.substr(0, kDateSize));
  text.remove_prefix(kDateSize + 1);
  const Clock clock = take_clock(text);
  if (clock.second_digits > second_digits) return TextFault::kOutOfRange;
  const std::int64_t micros = days * kMicrosPerDay + clock.micros - offset_micros(text);
  append_wire64(into, static_cast<std::uint64_t>(micros));
  return TextFault::kNone;
}

TextFault encode_uuid(std::string_view text, std::string& into) {
  if (!is_uuid(text)) return TextFault::kMalformed;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    if (text[i] == '-') ++i;
    into += static_cast<char>(hex_value(text[i]) * 16 + hex_value(text[i + 1]));
  }
  return TextFault::kNone;
}

std::int64_t wire_integer(PostgresWire wire, std::string_view bytes) {
  switch (wire) {
    case PostgresWire::kInt2: {
      std::uint16_t value = 0;
      std::memcpy(&value, bytes.data(), sizeof value);
      return static_cast<std::int16_t>(__builtin_bswap16(value));
    }
    case PostgresWire::kInt4: return static_cast<std::int32_t>(db::read_wire32(bytes));
    case PostgresWire::kInt8: return static_cast<std::int64_t>(db::read_wire64(bytes));
    default: CHECK(false);
  }
}

void append_wire_text(PostgresWire wire, std::string_view bytes, std::string& into) {
  switch (wire) {
    case PostgresWire::kInt2:
    case PostgresWire::kInt4:
    case PostgresWire::kInt8: into += std::to_string(wire_integer(wire, bytes)); return;
    case PostgresWire::kFloat4:
      append_float(std::bit_cast<float>(db::read_wire32(bytes)), into);
      return;
    case PostgresWire::kFloat8:
      append_float(std::bit_cast<double>(db::read_wire64(bytes)), into);
      return;
    case PostgresWire::kNumeric: append_numeric_text(bytes, into); return;
    case PostgresWire::kBool: into += bytes.front() != 0 ? "true" : "false"; return;
    case PostgresWire::kText:
    case PostgresWire::kEnum:
    case PostgresWire::kJson:
    case PostgresWire::kCast: into += bytes; return;
    case PostgresWire::kJsonb: into += bytes.substr(1); return;
    case PostgresWire::kDate: append_date_text(bytes, into); return;
    case PostgresWire::kTime:
      append_clock(static_cast<std::int64_t>(db::read_wire64(bytes)), into);
      return;
    case PostgresWire::kTimestamp: append_timestamp_text(bytes, false, into); return;
    case PostgresWire::kTimestamptz: append_timestamp_text(bytes, true, into); return;
    case PostgresWire::kUuid: append_uuid_text(bytes, into); return;
    case PostgresWire::kBytea:
      into += encode_bytes(
          {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
      return;
  }
  CHECK(false);
}

}  // namespace tallyman
