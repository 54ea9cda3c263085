#include "target/postgres_numeric.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "db/postgres_params.h"

namespace tallyman {
namespace {

constexpr int kGroup = 4;  // Decimal digits in one of the base 10,000.
constexpr std::size_t kHeaderBytes = 8;
constexpr std::uint16_t kNegative = 0x4000;
constexpr std::uint16_t kNan = 0xC000;
constexpr std::uint16_t kInfinity = 0xD000;
constexpr std::uint16_t kMinusInfinity = 0xF000;
// Past any number that is held; keeps sums of places in range.
constexpr int kExponentMax = 1'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits off the front.
std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// The whole of `text`, which is an exponent or empty.
bool read_exponent(std::string_view text, int& into) {
  if (text.empty()) return true;
  if ((text.front() | 0x20) != 'e') return false;
  text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view digits = take_digits(text);
  if (digits.empty() || !text.empty()) return false;
  for (const char c : digits) into = std::min(into * 10 + (c - '0'), kExponentMax);
  if (negative) into = -into;
  return true;
}

// A number as the digits of `whole` and then those of `fraction`; the point stands after
// `point` of them (it may be negative, or past them).
struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int point = 0;
  int written_scale = 0;

  int size() const { return static_cast<int>(whole.size() + fraction.size()); }

  bool read(std::string_view text) {
    negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    whole = take_digits(text);
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      fraction = take_digits(text);
    }
    int exponent = 0;
    if (size() == 0 || !read_exponent(text, exponent)) return false;
    point = static_cast<int>(whole.size()) + exponent;
    written_scale = std::max(0, static_cast<int>(fraction.size()) - exponent);
    return true;
  }

  // Drops zeros before the first digit and after the last one.
  void strip() {
    while (whole.starts_with('0')) {
      whole.remove_prefix(1);
      --point;
    }
    while (whole.empty() && fraction.starts_with('0')) {
      fraction.remove_prefix(1);
      --point;
    }
    while (fraction.ends_with('0')) fraction.remove_suffix(1);
    while (fraction.empty() && whole.ends_with('0')) whole.remove_suffix(1);
  }
};

void put16(char* at, int value) {
  const auto bytes = __builtin_bswap16(static_cast<std::uint16_t>(value));
  std::memcpy(at, &bytes, sizeof bytes);
}

int get16(std::string_view wire, std::size_t at) {
  std::uint16_t bytes = 0;
  std::memcpy(&bytes, wire.data() + at, sizeof bytes);
  return __builtin_bswap16(bytes);
}

int floor_divide(int value, int by) {
  return value >= 0 ? value / by : -((by - 1 - value) / by);
}

void append_groups(const Parts& parts, int weight, int groups, std::string& into) {
  const std::size_t begin = into.size();
  into.resize(begin + static_cast<std::size_t>(groups) * 2);
  char* out = into.data() + begin;
  // The first group may begin with zeros, the last end with them.
  int filled = (weight + 1) * kGroup - parts.point;
  int value = 0;
  const auto take = [&](std::string_view digits) {
    for (const char c : digits) {
      value = value * 10 + (c - '0');
      if (++filled < kGroup) continue;
      put16(out, value);
      out += 2;
      value = 0;
      filled = 0;
    }
  };
  take(parts.whole);
  take(parts.fraction);
  if (filled == 0) return;
  for (; filled < kGroup; ++filled) value *= 10;
  put16(out, value);
}

bool fits(const Parts& parts, std::optional<int> precision, std::optional<int> scale) {
  const int whole_max =
      precision ? *precision - scale.value_or(0) : kNumericWholeDigitsMax;
  const int scale_max = precision ? scale.value_or(0) : kNumericScaleMax;
  return parts.point <= whole_max && parts.size() - parts.point <= scale_max;
}

}  // namespace

TextFault encode_numeric(std::string_view text, std::optional<int> precision,
                         std::optional<int> scale, std::string& into) {
  Parts parts;
  if (!parts.read(text)) return TextFault::kMalformed;
  parts.strip();
  const bool zero = parts.size() == 0;
  if (!zero && !fits(parts, precision, scale)) return TextFault::kOutOfRange;
  const int weight = zero ? 0 : floor_divide(parts.point - 1, kGroup);
  const int padded = (weight + 1) * kGroup - parts.point + parts.size();
  const int groups = zero ? 0 : (padded + kGroup - 1) / kGroup;
  const int shown = precision ? std::max(0, scale.value_or(0))
                              : std::min(parts.written_scale, kNumericScaleMax);
  std::array<char, kHeaderBytes> header{};
  put16(header.data(), groups);
  put16(header.data() + 2, weight);
  put16(header.data() + 4, parts.negative && !zero ? kNegative : 0);
  put16(header.data() + 6, shown);
  into.append(header.data(), header.size());
  if (groups != 0) append_groups(parts, weight, groups, into);
  return TextFault::kNone;
}

void append_numeric_text(std::string_view wire, std::string& into) {
  const int groups = get16(wire, 0);
  const int weight = static_cast<std::int16_t>(get16(wire, 2));
  switch (get16(wire, 4)) {
    case kNan: into += "NaN"; return;
    case kInfinity: into += "Infinity"; return;
    case kMinusInfinity: into += "-Infinity"; return;
    case kNegative: into += '-'; break;
    default: break;
  }
  const auto append_group = [&](int place) {
    int value = 0;
    if (place >= 0 && place < groups) {
      value = get16(wire, kHeaderBytes + static_cast<std::size_t>(place) * 2);
    }
    for (int unit = 1000; unit != 0; unit /= 10) {
      into += static_cast<char>('0' + value / unit % 10);
    }
  };
  const std::size_t begin = into.size();
  for (int place = 0; place <= weight; ++place) append_group(place);
  std::size_t zeros = begin;
  while (zeros < into.size() && into[zeros] == '0') ++zeros;
  into.erase(begin, zeros - begin);
  if (into.size() == begin) into += '0';
  if (groups - 1 <= weight) return;
  into += '.';
  for (int place = std::min(weight + 1, 0); place < 0; ++place) {
    // Groups of zeros between the point and the first digit.
    into.append(kGroup, '0');
  }
  for (int place = std::max(weight + 1, 0); place < groups; ++place) append_group(place);
  while (into.ends_with('0')) into.pop_back();
  if (into.ends_with('.')) into.pop_back();
}

}  // namespace tallyman
