#include "base/decimal.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

namespace tallyman {
namespace {

std::string read(std::string_view text) {
  const auto number = Decimal::parse(text);
  return number ? number->to_string() : "nothing";
}

Decimal number(std::string_view text) { return Decimal::parse(text).value(); }

TEST(Decimal, ReadsWhatIsWrittenLikeOne) {
  EXPECT_EQ(read("0"), "0");
  EXPECT_EQ(read("-0"), "0");
  EXPECT_EQ(read("-0.00"), "0");
  EXPECT_EQ(read("+12.50"), "12.5");
  EXPECT_EQ(read("5."), "5");
  EXPECT_EQ(read(".5"), "0.5");
  EXPECT_EQ(read("-.05"), "-0.05");
  EXPECT_EQ(read("007"), "7");
  EXPECT_EQ(read("1e3"), "1000");
  EXPECT_EQ(read("1.5E+3"), "1500");
  EXPECT_EQ(read("1.5e-3"), "0.0015");
  EXPECT_EQ(read("1500e-2"), "15");
  EXPECT_EQ(read("0e999999999999"), "0");
  EXPECT_EQ(read("99999999999999999999999999999999999999"),
            "99999999999999999999999999999999999999");
  EXPECT_EQ(read("100000000000000000000000000000000000000.1"),
            "100000000000000000000000000000000000000.1");
}

TEST(Decimal, RefusesOtherText) {
  for (const char* text :
       {"", "-", "+", ".", "e5", "1e", "1e+", "1e5.0", "--1", "1-", "1 ", " 1", "1,5",
        "0x10", "NaN", "Infinity", "1_000", "\xC2\xB2"}) {
    EXPECT_EQ(Decimal::parse(text), std::nullopt) << text;
    EXPECT_FALSE(Decimal::is_number(text)) << text;
  }
}

TEST(Decimal, BoundsTheDigitsThatAnExponentMakes) {
  const std::string limit = "1e" + std::to_string(Decimal::kDigitsMax - 1);
  const std::string above = "1e" + std::to_string(Decimal::kDigitsMax);
  EXPECT_EQ(number(limit).whole_digits(), Decimal::kDigitsMax);
  EXPECT_EQ(Decimal::parse(above), std::nullopt);
  EXPECT_TRUE(Decimal::is_number(above));
  EXPECT_EQ(Decimal::parse("1e-99999999999999999999"), std::nullopt);
  EXPECT_TRUE(Decimal::is_number("1e-99999999999999999999"));
}

TEST(Decimal, KnowsItsDigits) {
  EXPECT_EQ(number("123.4500").scale(), 2);
  EXPECT_EQ(number("123.4500").whole_digits(), 3);
  EXPECT_EQ(number("0.005").whole_digits(), 0);
  EXPECT_EQ(number("0").whole_digits(), 0);
  EXPECT_EQ(number("1e40").whole_digits(), 41);
  EXPECT_EQ(number("1e40").scale(), 0);
  EXPECT_EQ(number("1.5e3").scale(), 0);
}

TEST(Decimal, IsAnIntegerWhereItIsWholeAndFits) {
  EXPECT_EQ(number("12.0").integer(), 12);
  EXPECT_EQ(number("12.5").integer(), std::nullopt);
  EXPECT_EQ(number("9223372036854775807").integer(), INT64_MAX);
  EXPECT_EQ(number("-9223372036854775808").integer(), INT64_MIN);
  EXPECT_EQ(number("9223372036854775808").integer(), std::nullopt);
  EXPECT_EQ(number("1e40").integer(), std::nullopt);
  Decimal half = number("0.5");
  half += half;
  EXPECT_EQ(half.integer(), 1);
}

TEST(Decimal, GoesPast128BitsAndBack) {
  Decimal sum = number("99999999999999999999999999999999999999");
  sum += Decimal(1);
  EXPECT_EQ(sum.to_string(), "100000000000000000000000000000000000000");
  sum += Decimal(-1);
  EXPECT_EQ(sum.to_string(), "99999999999999999999999999999999999999");
  sum += number("0.00000000000000000000000000000000000001");
  EXPECT_EQ(
      sum.to_string(),
      "99999999999999999999999999999999999999.00000000000000000000000000000000000001");
  sum += -number("99999999999999999999999999999999999999");
  EXPECT_EQ(sum.to_string(), "0.00000000000000000000000000000000000001");
}

TEST(Decimal, DividesRoundingHalfToEven) {
  EXPECT_EQ(number("175.75").divided(2, 8).to_string(), "87.875");
  EXPECT_EQ(Decimal(1).divided(3, 6).to_string(), "0.333333");
  EXPECT_EQ(Decimal(2).divided(3, 6).to_string(), "0.666667");
  EXPECT_EQ(Decimal(1).divided(2, 0).to_string(), "0");
  EXPECT_EQ(Decimal(3).divided(2, 0).to_string(), "2");
  EXPECT_EQ(Decimal(5).divided(2, 0).to_string(), "2");
  EXPECT_EQ(Decimal(-5).divided(2, 0).to_string(), "-2");
  EXPECT_EQ(Decimal(-7).divided(2, 0).to_string(), "-4");
  EXPECT_EQ(number("1e50").divided(3, 2).to_string(), std::string(50, '3') + ".33");
  EXPECT_EQ(Decimal(1).divided(UINT64_MAX, 25).to_string(),
            "0.0000000000000000000542101");
}

TEST(Decimal, ReadsBackADouble) {
  EXPECT_EQ(Decimal::from_double(0.1, 2)->to_string(), "0.1");
  EXPECT_EQ(Decimal::from_double(2.5, 0)->to_string(), "2");
  EXPECT_EQ(Decimal::from_double(-3.5, 0)->to_string(), "-4");
  EXPECT_EQ(Decimal::from_double(1234567890123456.75, 2)->to_string(),
            "1234567890123456.75");
  EXPECT_EQ(Decimal::from_double(123456789012345.67, 2)->to_string(),
            "123456789012345.67");
  EXPECT_EQ(Decimal::from_double(62293107.40537, 10)->to_string(), "62293107.40537");
  EXPECT_EQ(Decimal::from_double(0.1 + 0.2, 2)->to_string(), "0.3");
  EXPECT_EQ(Decimal::from_double(1e300, 0)->whole_digits(), 301);
  EXPECT_EQ(Decimal::from_double(-0.0, 2)->to_string(), "0");
  EXPECT_EQ(Decimal::from_double_significant(0.1, 15)->to_string(), "0.1");
  EXPECT_EQ(Decimal::from_double_significant(123456789.987654321, 15)->to_string(),
            "123456789.987654");
  EXPECT_EQ(Decimal::from_double(std::numeric_limits<double>::infinity(), 2),
            std::nullopt);
  EXPECT_EQ(
      Decimal::from_double_significant(std::numeric_limits<double>::quiet_NaN(), 15),
      std::nullopt);
}

// Every number of four digits at every scale: what is written is read, and sums and
// orders are those of the integers.
TEST(Decimal, AgreesWithIntegersOnAllSmallNumbers) {
  for (int scale = 0; scale <= 4; ++scale) {
    const double power = std::pow(10, scale);
    for (int value = -9999; value <= 9999; value += 7) {
      const Decimal exact = Decimal(value).divided(1, 0);
      char text[32];
      std::snprintf(text, sizeof text, "%.*f", scale, value / power);
      const Decimal parsed = number(text);
      EXPECT_EQ(number(parsed.to_string()), parsed);
      Decimal sum = parsed;
      for (int i = 1; i < power; ++i) sum += parsed;
      EXPECT_EQ(sum, exact) << text;
    }
  }
}

__extension__ using Int128 = __int128;

std::string to_text(Int128 value, int scale) {
  const bool negative = value < 0;
  std::string digits;
  for (Int128 rest = negative ? -value : value; rest != 0; rest /= 10) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  if (digits.size() <= static_cast<std::size_t>(scale)) {
    digits.insert(0, static_cast<std::size_t>(scale) + 1 - digits.size(), '0');
  }
  digits.insert(digits.size() - static_cast<std::size_t>(scale), ".");
  while (digits.ends_with('0')) digits.pop_back();
  if (digits.ends_with('.')) digits.pop_back();
  return (negative && digits != "0" ? "-" : "") + digits;
}

RC_GTEST_PROP(DecimalProperty, AddsLikeIntegersOf128Bits,
              (const std::vector<std::int64_t>& values)) {
  const int scale = *rc::gen::inRange(0, 12);
  Int128 expected = 0;
  Decimal sum;
  for (const std::int64_t value : values) {
    expected += value;
    sum += number(to_text(value, scale));
  }
  RC_ASSERT(sum.to_string() == to_text(expected, scale));
}

RC_GTEST_PROP(DecimalProperty, OrdersLikeIntegers, (std::int64_t a, std::int64_t b)) {
  const int more = *rc::gen::inRange(0, 30);
  const Decimal left = number(to_text(a, 5));
  const Decimal right = number(to_text(b, 5) + (b % 100000 == 0 ? "." : "") +
                               std::string(static_cast<std::size_t>(more), '0'));
  RC_ASSERT((left < right) == (a < b));
  RC_ASSERT((left == right) == (a == b));
}

// Numbers of up to 120 digits against the schoolbook on text.
std::string add_text(std::string a, std::string b) {
  const std::size_t size = std::max(a.size(), b.size()) + 1;
  a.insert(0, size - a.size(), '0');
  b.insert(0, size - b.size(), '0');
  int carry = 0;
  for (std::size_t i = size; i-- > 0;) {
    carry += (a[i] - '0') + (b[i] - '0');
    a[i] = static_cast<char>('0' + carry % 10);
    carry /= 10;
  }
  a.erase(0, std::min(a.find_first_not_of('0'), a.size() - 1));
  return a;
}

RC_GTEST_PROP(DecimalProperty, AddsLargeNumbersLikeTheSchoolbook, ()) {
  const auto digits =
      rc::gen::container<std::string>(rc::gen::inRange<char>('0', '9' + 1));
  const std::string a = "1" + *rc::gen::resize(60, digits);
  const std::string b = "2" + *rc::gen::resize(60, digits);
  Decimal sum = number(a);
  sum += number(b);
  RC_ASSERT(sum.to_string() == add_text(a, b));
  sum += -number(a);
  RC_ASSERT(sum.to_string() == b);
  sum += -number(b);
  RC_ASSERT(sum.is_zero());
}

RC_GTEST_PROP(DecimalProperty, DividesLikeIntegersOf128Bits,
              (std::int64_t value, std::uint32_t divisor)) {
  RC_PRE(divisor > 0u);
  const int scale = *rc::gen::inRange(0, 9);
  Int128 scaled = value;
  for (int i = 0; i < scale; ++i) scaled *= 10;
  Int128 quotient = scaled / divisor;
  const Int128 twice = 2 * (scaled % divisor);
  const Int128 magnitude = twice < 0 ? -twice : twice;
  if (magnitude > divisor || (magnitude == divisor && quotient % 2 != 0)) {
    quotient += value < 0 ? -1 : 1;
  }
  RC_ASSERT(Decimal(value).divided(divisor, scale).to_string() ==
            to_text(quotient, scale));
}

RC_GTEST_PROP(DecimalProperty, RoundsDoublesLikePrintf, (std::int64_t mantissa)) {
  const int scale = *rc::gen::inRange(0, 20);
  const double value =
      static_cast<double>(mantissa) / std::pow(10, *rc::gen::inRange(0, 25));
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", scale, value);
  RC_ASSERT(number(text).nearest_double() == std::strtod(text, nullptr));
  const Decimal read_back = Decimal::from_double(value, scale).value();
  const Decimal shortened = Decimal::from_double_significant(value, 15).value();
  if (shortened.scale() <= scale && shortened.nearest_double() == value) {
    RC_ASSERT(read_back == shortened);
  } else {
    RC_ASSERT(read_back == number(text));
  }
}

RC_GTEST_PROP(DecimalProperty, FifteenDigitsSurviveADouble, (std::int64_t raw)) {
  const std::int64_t value = raw % 1'000'000'000'000'000;
  const int scale = *rc::gen::inRange(0, 16);
  const Decimal exact = number(to_text(value, scale));
  const double stored = exact.nearest_double();
  const int declared = scale + *rc::gen::inRange(0, 20);
  RC_ASSERT(Decimal::from_double(stored, declared).value() == exact);
  RC_ASSERT(Decimal::from_double_significant(stored, 15).value() == exact);
}

}  // namespace
}  // namespace tallyman
