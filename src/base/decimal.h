// Decimal: a decimal number, exact to its last digit however many it has.
//
//   Decimal total;
//   for (...) total += *Decimal::parse("175.75");
//   total.to_string();                               // "351.5"
//   total.divided(3, 8).to_string();                 // rounded half to even at 8 digits
//
// Numbers of at most 38 digits are one 128-bit integer and a scale: no allocation. Larger
// ones go on in a list of digits; nothing ever overflows or is rounded unasked.
//
// Threads: a plain value.
// Memory:  48 bytes, and 4 bytes for every 9 digits past 38.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

class Decimal {
 public:
  // Digits of the longest number that is read, zeros of its exponent included: what
  // PostgreSQL's numeric holds (131,072 before the point, 16,383 after it).
  static constexpr int kDigitsMax = 147'455;

  Decimal() = default;
  Decimal(std::int64_t value) : small_(value) {}

  // [+-] digits [. digits] [e [+-] digits]; "5." and ".5" too. Nothing for other text and
  // for more than kDigitsMax digits (is_number() tells them apart).
  static std::optional<Decimal> parse(std::string_view text);
  // Is it written like one, whatever its size?
  static bool is_number(std::string_view text);

  // The decimal that a double stands for: the one with at most 15 significant digits, and
  // at most `scale` of them after the point, whose nearest double it is (there is never a
  // second); where there is none, its expansion rounded half to even at `scale` digits
  // after the point. Nothing for NaN and infinities.
  static std::optional<Decimal> from_double(double value, int scale);
  // The expansion rounded half to even at so many significant digits, 1 to 40.
  static std::optional<Decimal> from_double_significant(double value, int digits);

  bool is_zero() const { return small_ == 0 && big_.empty(); }
  bool is_negative() const { return big_.empty() ? small_ < 0 : big_negative_; }
  // Digits after the point as they are kept: none of them is a trailing zero in a number
  // that was just parsed; a sum has as many as the longest of its terms.
  int scale() const { return scale_; }
  // Digits before the point; 0 for a number below one.
  int whole_digits() const;
  // The number, where it is whole and an int64.
  std::optional<std::int64_t> integer() const;
  double nearest_double() const;

  Decimal& operator+=(const Decimal& other);
  Decimal operator-() const;

  // A value divided, rounded half to even at `scale` digits after the point.
  // REQUIRES: divisor > 0, scale >= this->scale().
  Decimal divided(std::uint64_t divisor, int scale) const;

  // Without a trailing zero after the point, without an exponent: "-0.5", "1200".
  std::string to_string() const;

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == 0; }

 private:
  __extension__ using Int128 = __int128;
  // Nine decimal digits each, the lowest first; no zero at the end.
  using Limbs = std::vector<std::uint32_t>;
  struct Parts;

  static Decimal from_limbs(bool negative, Limbs limbs, int scale);
  static Decimal from_digits(bool negative, std::string_view digits, int scale);
  Limbs limbs() const;
  bool rescale_small(int scale, Int128& into) const;

  // The value is small_ / 10^scale_ while big_ is empty, else big_ / 10^scale_. big_ is
  // used for 10^38 and above alone. scale_ is never negative.
  Int128 small_ = 0;
  int scale_ = 0;
  bool big_negative_ = false;
  Limbs big_;
};

}  // namespace tallyman
