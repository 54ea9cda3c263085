#include "base/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/check.h"

namespace tallyman {
namespace {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;
using Limbs = std::vector<std::uint32_t>;

constexpr std::uint32_t kLimb = 1'000'000'000;
constexpr int kLimbDigits = 9;
constexpr int kSmallDigits = 38;
// Decimals of so many digits have a double each.
constexpr int kDoubleDigits = 15;

constexpr auto kPowers = [] {
  std::array<Int128, kSmallDigits + 1> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

constexpr std::array<double, 23> kDoublePowers = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool fits_small(Int128 value) {
  return value < kPowers[kSmallDigits] && value > -kPowers[kSmallDigits];
}

void trim(Limbs& limbs) {
  while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
}

Limbs limbs_of(Uint128 value) {
  Limbs limbs;
  for (; value != 0; value /= kLimb) {
    limbs.push_back(static_cast<std::uint32_t>(value % kLimb));
  }
  return limbs;
}

Limbs limbs_of(std::string_view digits) {
  Limbs limbs;
  limbs.reserve(digits.size() / kLimbDigits + 1);
  while (!digits.empty()) {
    const std::size_t take = std::min<std::size_t>(kLimbDigits, digits.size());
    std::uint32_t limb = 0;
    for (const char c : digits.substr(digits.size() - take)) {
      limb = limb * 10 + static_cast<std::uint32_t>(c - '0');
    }
    limbs.push_back(limb);
    digits.remove_suffix(take);
  }
  trim(limbs);
  return limbs;
}

std::string digits_of(const Limbs& limbs) {
  if (limbs.empty()) return "0";
  std::string digits = std::to_string(limbs.back());
  digits.reserve(limbs.size() * kLimbDigits);
  for (std::size_t i = limbs.size() - 1; i-- > 0;) {
    const std::string limb = std::to_string(limbs[i]);
    digits.append(kLimbDigits - limb.size(), '0').append(limb);
  }
  return digits;
}

void multiply_small(Limbs& limbs, std::uint32_t factor) {
  std::uint64_t carry = 0;
  for (std::uint32_t& limb : limbs) {
    carry += static_cast<std::uint64_t>(limb) * factor;
    limb = static_cast<std::uint32_t>(carry % kLimb);
    carry /= kLimb;
  }
  if (carry != 0) limbs.push_back(static_cast<std::uint32_t>(carry));
}

void multiply_power(Limbs& limbs, int power) {
  if (limbs.empty() || power == 0) return;
  limbs.insert(limbs.begin(), static_cast<std::size_t>(power / kLimbDigits), 0);
  multiply_small(limbs, static_cast<std::uint32_t>(
                            kPowers[static_cast<std::size_t>(power % kLimbDigits)]));
}

std::strong_ordering compare(const Limbs& a, const Limbs& b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  for (std::size_t i = a.size(); i-- > 0;) {
    if (a[i] != b[i]) return a[i] <=> b[i];
  }
  return std::strong_ordering::equal;
}

Limbs add(const Limbs& a, const Limbs& b) {
  Limbs sum;
  sum.reserve(std::max(a.size(), b.size()) + 1);
  std::uint32_t carry = 0;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    carry += (i < a.size() ? a[i] : 0) + (i < b.size() ? b[i] : 0);
    sum.push_back(carry % kLimb);
    carry /= kLimb;
  }
  if (carry != 0) sum.push_back(carry);
  return sum;
}

// REQUIRES: a >= b.
Limbs subtract(const Limbs& a, const Limbs& b) {
  Limbs difference = a;
  std::uint32_t borrow = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::uint32_t take = (i < b.size() ? b[i] : 0) + borrow;
    borrow = a[i] < take ? 1 : 0;
    difference[i] = a[i] + borrow * kLimb - take;
  }
  trim(difference);
  return difference;
}

// Divides in place; the remainder.
std::uint64_t divide(Limbs& limbs, std::uint64_t divisor) {
  std::uint64_t remainder = 0;
  for (std::size_t i = limbs.size(); i-- > 0;) {
    const Uint128 part = static_cast<Uint128>(remainder) * kLimb + limbs[i];
    limbs[i] = static_cast<std::uint32_t>(part / divisor);
    remainder = static_cast<std::uint64_t>(part % divisor);
  }
  trim(limbs);
  return remainder;
}

std::size_t count_digits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  return count;
}

// Nothing where `text` is not an exponent; bounded where it is far too large.
std::optional<int> read_exponent(std::string_view text) {
  if (text.empty()) return 0;
  if (text.front() != 'e' && text.front() != 'E') return std::nullopt;
  text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || count_digits(text) != text.size()) return std::nullopt;
  int exponent = 0;
  for (const char c : text) {
    exponent = std::min(exponent * 10 + (c - '0'), 10 * Decimal::kDigitsMax);
  }
  return negative ? -exponent : exponent;
}

}  // namespace

// A number taken apart: its digits are whole and then fraction.
struct Decimal::Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int exponent = 0;

  static std::optional<Parts> read(std::string_view text) {
    Parts parts;
    parts.negative = text.starts_with('-');
    if (parts.negative || text.starts_with('+')) text.remove_prefix(1);
    parts.whole = text.substr(0, count_digits(text));
    text.remove_prefix(parts.whole.size());
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      parts.fraction = text.substr(0, count_digits(text));
      text.remove_prefix(parts.fraction.size());
    }
    if (parts.whole.empty() && parts.fraction.empty()) return std::nullopt;
    const auto exponent = read_exponent(text);
    if (!exponent) return std::nullopt;
    parts.exponent = *exponent;
    while (parts.fraction.ends_with('0')) parts.fraction.remove_suffix(1);
    while (parts.whole.starts_with('0')) parts.whole.remove_prefix(1);
    return parts;
  }
};

bool Decimal::is_number(std::string_view text) { return Parts::read(text).has_value(); }

std::optional<Decimal> Decimal::parse(std::string_view text) {
  const auto parts = Parts::read(text);
  if (!parts) return std::nullopt;
  const std::size_t size = parts->whole.size() + parts->fraction.size();
  if (size == 0) return Decimal();
  if (size <= 18 && parts->exponent == 0) {
    std::int64_t value = 0;
    for (const char c : parts->whole) value = value * 10 + (c - '0');
    for (const char c : parts->fraction) value = value * 10 + (c - '0');
    Decimal small(parts->negative ? -value : value);
    small.scale_ = static_cast<int>(parts->fraction.size());
    return small;
  }
  if (size + static_cast<std::size_t>(std::abs(parts->exponent)) > kDigitsMax) {
    return std::nullopt;
  }

  std::string digits;
  digits.reserve(size + static_cast<std::size_t>(std::max(parts->exponent, 0)));
  digits.append(parts->whole).append(parts->fraction);
  int scale = static_cast<int>(parts->fraction.size()) - parts->exponent;
  if (scale < 0) {
    digits.append(static_cast<std::size_t>(-scale), '0');
    scale = 0;
  }
  while (scale > 0 && digits.ends_with('0')) {
    digits.pop_back();
    --scale;
  }
  return from_digits(parts->negative, digits, digits.empty() ? 0 : scale);
}

Decimal Decimal::from_digits(bool negative, std::string_view digits, int scale) {
  while (digits.starts_with('0')) digits.remove_prefix(1);
  if (digits.empty()) return Decimal();
  if (digits.size() > kSmallDigits) return from_limbs(negative, limbs_of(digits), scale);
  Decimal number;
  for (const char c : digits) number.small_ = number.small_ * 10 + (c - '0');
  if (negative) number.small_ = -number.small_;
  number.scale_ = scale;
  return number;
}

Decimal Decimal::from_limbs(bool negative, Limbs limbs, int scale) {
  trim(limbs);
  Decimal number;
  number.scale_ = scale;
  constexpr std::size_t kSmallLimbs = kSmallDigits / kLimbDigits + 1;
  if (limbs.size() <= kSmallLimbs) {
    Uint128 value = 0;
    bool small = true;
    for (std::size_t i = limbs.size(); i-- > 0 && small;) {
      small = value <= static_cast<Uint128>(kPowers[kSmallDigits]) / kLimb;
      value = value * kLimb + limbs[i];
    }
    if (small && value < static_cast<Uint128>(kPowers[kSmallDigits])) {
      number.small_ = negative ? -static_cast<Int128>(value) : static_cast<Int128>(value);
      return number;
    }
  }
  number.big_negative_ = negative;
  number.big_ = std::move(limbs);
  return number;
}

Decimal::Limbs Decimal::limbs() const {
  if (!big_.empty()) return big_;
  return limbs_of(static_cast<Uint128>(small_ < 0 ? -small_ : small_));
}

std::optional<Decimal> Decimal::from_double(double value, int scale) {
  if (!std::isfinite(value)) return std::nullopt;
  // The usual case without text: the candidate has no more than 15 digits.
  if (scale < static_cast<int>(kDoublePowers.size())) {
    const double power = kDoublePowers[static_cast<std::size_t>(scale)];
    const double candidate = std::nearbyint(value * power);
    if (std::abs(candidate) < 1e15 && candidate / power == value) {
      Decimal number(static_cast<std::int64_t>(candidate));
      number.scale_ = candidate == 0 ? 0 : scale;
      return number;
    }
  }
  auto shortened = from_double_significant(value, kDoubleDigits);
  if (shortened && shortened->scale() <= scale && shortened->nearest_double() == value) {
    return shortened;
  }
  constexpr std::size_t kWholeDigitsMax = 310;
  std::string text(kWholeDigitsMax + 3 + static_cast<std::size_t>(scale), '\0');
  const int size = std::snprintf(text.data(), text.size(), "%.*f", scale, value);
  CHECK(size > 0 && static_cast<std::size_t>(size) < text.size());
  return parse(std::string_view(text).substr(0, static_cast<std::size_t>(size)));
}

std::optional<Decimal> Decimal::from_double_significant(double value, int digits) {
  if (!std::isfinite(value)) return std::nullopt;
  char text[64];
  CHECK(digits >= 1 && digits <= 40);
  const int size = std::snprintf(text, sizeof text, "%.*e", digits - 1, value);
  return parse(std::string_view(text, static_cast<std::size_t>(size)));
}

int Decimal::whole_digits() const {
  int digits = 0;
  if (big_.empty()) {
    const Int128 magnitude = small_ < 0 ? -small_ : small_;
    while (digits < kSmallDigits &&
           magnitude >= kPowers[static_cast<std::size_t>(digits)])
      ++digits;
  } else {
    digits = static_cast<int>(big_.size() - 1) * kLimbDigits;
    for (std::uint32_t top = big_.back(); top != 0; top /= 10) ++digits;
  }
  return std::max(0, digits - scale_);
}

std::optional<std::int64_t> Decimal::integer() const {
  if (!big_.empty()) {
    if (scale_ == 0) return std::nullopt;
    const auto plain = parse(to_string());
    return plain && plain->big_.empty() ? plain->integer() : std::nullopt;
  }
  Int128 value = small_;
  for (int scale = scale_; scale > 0 && value != 0; --scale) {
    if (value % 10 != 0) return std::nullopt;
    value /= 10;
  }
  if (value < INT64_MIN || value > INT64_MAX) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

double Decimal::nearest_double() const {
  constexpr Int128 kExactMax = Int128{1} << 53;
  if (big_.empty() && small_ <= kExactMax && small_ >= -kExactMax &&
      scale_ < static_cast<int>(kDoublePowers.size())) {
    return static_cast<double>(static_cast<std::int64_t>(small_)) /
           kDoublePowers[static_cast<std::size_t>(scale_)];
  }
  return std::strtod(to_string().c_str(), nullptr);
}

bool Decimal::rescale_small(int scale, Int128& into) const {
  const int power = scale - scale_;
  return big_.empty() && power <= kSmallDigits &&
         !__builtin_mul_overflow(small_, kPowers[static_cast<std::size_t>(power)],
                                 &into) &&
         fits_small(into);
}

Decimal& Decimal::operator+=(const Decimal& other) {
  const int scale = std::max(scale_, other.scale_);
  Int128 mine = 0;
  Int128 theirs = 0;
  Int128 sum = 0;
  if (rescale_small(scale, mine) && other.rescale_small(scale, theirs) &&
      !__builtin_add_overflow(mine, theirs, &sum) && fits_small(sum)) {
    small_ = sum;
    scale_ = scale;
    return *this;
  }

  Limbs a = limbs();
  Limbs b = other.limbs();
  multiply_power(a, scale - scale_);
  multiply_power(b, scale - other.scale_);
  if (is_negative() == other.is_negative()) {
    *this = from_limbs(is_negative(), add(a, b), scale);
  } else if (compare(a, b) >= 0) {
    *this = from_limbs(is_negative(), subtract(a, b), scale);
  } else {
    *this = from_limbs(other.is_negative(), subtract(b, a), scale);
  }
  return *this;
}

Decimal Decimal::operator-() const {
  Decimal negated = *this;
  negated.small_ = -small_;
  negated.big_negative_ = !big_negative_;
  return negated;
}

Decimal Decimal::divided(std::uint64_t divisor, int scale) const {
  CHECK(divisor > 0 && scale >= scale_);
  Limbs quotient = limbs();
  multiply_power(quotient, scale - scale_);
  const std::uint64_t remainder = divide(quotient, divisor);
  const std::uint64_t rest = divisor - remainder;
  const bool odd = !quotient.empty() && quotient.front() % 2 == 1;
  if (remainder > rest || (remainder == rest && odd)) quotient = add(quotient, {1});
  return from_limbs(is_negative(), std::move(quotient), scale);
}

std::string Decimal::to_string() const {
  std::string digits = digits_of(limbs());
  const auto scale = static_cast<std::size_t>(scale_);
  if (digits.size() <= scale) digits.insert(0, scale - digits.size() + 1, '0');
  std::string_view fraction = std::string_view(digits).substr(digits.size() - scale);
  while (fraction.ends_with('0')) fraction.remove_suffix(1);

  std::string text = is_negative() ? "-" : "";
  text.append(digits, 0, digits.size() - scale);
  if (!fraction.empty()) text.append(1, '.').append(fraction);
  return text;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  if (a.big_.empty() && b.big_.empty() && a.scale_ == b.scale_)
    return a.small_ <=> b.small_;
  if (a.is_negative() != b.is_negative()) {
    return a.is_negative() ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  const int scale = std::max(a.scale_, b.scale_);
  Int128 left = 0;
  Int128 right = 0;
  if (a.rescale_small(scale, left) && b.rescale_small(scale, right))
    return left <=> right;

  Limbs left_limbs = a.limbs();
  Limbs right_limbs = b.limbs();
  multiply_power(left_limbs, scale - a.scale_);
  multiply_power(right_limbs, scale - b.scale_);
  const auto order = compare(left_limbs, right_limbs);
  return a.is_negative() ? 0 <=> order : order;
}

}  // namespace tallyman
