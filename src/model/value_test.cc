#include "tallyman/value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tallyman {
namespace {

using Kind = Value::Kind;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

TEST(Value, NullHasNoTextAndNoNumber) {
  EXPECT_TRUE(Value::null().is_null());
  EXPECT_EQ(Value::null().text(), "");
  EXPECT_EQ(Value::null().integer(), std::nullopt);
  EXPECT_EQ(Value::null().number(), std::nullopt);
}

TEST(Value, ADecimalIsExactAsText) {
  const Value value(Kind::kDecimal, "175.750000000000000000001");
  EXPECT_EQ(value.text(), "175.750000000000000000001");
  EXPECT_FALSE(value.is_null());
}

TEST(Value, AWholeNumberOfAnyNumericKindIsAnInteger) {
  EXPECT_EQ(Value(Kind::kInteger, "0").integer(), 0);
  EXPECT_EQ(Value(Kind::kInteger, "-42").integer(), -42);
  EXPECT_EQ(Value(Kind::kInteger, "9223372036854775807").integer(), kMost);
  EXPECT_EQ(Value(Kind::kInteger, "-9223372036854775808").integer(), kLeast);
  EXPECT_EQ(Value(Kind::kDecimal, "5.00").integer(), 5);
  EXPECT_EQ(Value(Kind::kDecimal, "-0.0").integer(), 0);
  EXPECT_EQ(Value(Kind::kDecimal, "9223372036854775807.000").integer(), kMost);
  EXPECT_EQ(Value(Kind::kFloat, "1.5e3").integer(), 1500);
  EXPECT_EQ(Value(Kind::kFloat, "1500e-2").integer(), 15);
  EXPECT_EQ(Value(Kind::kFloat, "9e+18").integer(), 9'000'000'000'000'000'000);
}

TEST(Value, IsNoIntegerWhereItIsNotWholeOrNotInRange) {
  EXPECT_EQ(Value(Kind::kInteger, "9223372036854775808").integer(), std::nullopt);
  EXPECT_EQ(Value(Kind::kInteger, "-9223372036854775809").integer(), std::nullopt);
  EXPECT_EQ(Value(Kind::kDecimal, "5.01").integer(), std::nullopt);
  EXPECT_EQ(Value(Kind::kFloat, "1e-1").integer(), std::nullopt);
  EXPECT_EQ(Value(Kind::kFloat, "1e19").integer(), std::nullopt);
  EXPECT_EQ(Value(Kind::kFloat, "1e999999999999").integer(), std::nullopt);
  EXPECT_EQ(Value(Kind::kFloat, "NaN").integer(), std::nullopt);
  for (const char* text : {"", "-", ".", "e5", "1e", "1e+", "1x", "x", " 1", "1 "}) {
    EXPECT_EQ(Value(Kind::kInteger, text).integer(), std::nullopt) << text;
  }
}

TEST(Value, TextThatLooksLikeANumberIsNone) {
  for (const Kind kind : {Kind::kText, Kind::kBoolean, Kind::kBytes}) {
    EXPECT_EQ(Value(kind, "5").integer(), std::nullopt);
    EXPECT_EQ(Value(kind, "5").number(), std::nullopt);
  }
}

TEST(Value, NumberIsTheNearestDouble) {
  EXPECT_EQ(Value(Kind::kInteger, "9007199254740993").number(), 9007199254740992.0);
  EXPECT_EQ(Value(Kind::kDecimal, "0.1").number(), 0.1);
  EXPECT_EQ(Value(Kind::kFloat, "-2.5e-3").number(), -0.0025);
  EXPECT_EQ(Value(Kind::kFloat, "Infinity").number(),
            std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(Value(Kind::kFloat, "NaN").number().value()));
  EXPECT_EQ(Value(Kind::kFloat, "5e-324").number(),
            std::numeric_limits<double>::denorm_min());
}

TEST(Value, NumberPastADoubleIsInfinityOrZero) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::string digits(400, '9');
  EXPECT_EQ(Value(Kind::kDecimal, digits).number(), kInfinity);
  EXPECT_EQ(Value(Kind::kDecimal, "-" + digits).number(), -kInfinity);
  EXPECT_EQ(Value(Kind::kDecimal, "0." + std::string(400, '0') + "1").number(), 0.0);
  EXPECT_EQ(Value(Kind::kFloat, "1e400").number(), kInfinity);
  EXPECT_EQ(Value(Kind::kFloat, "1e-400").number(), 0.0);
  EXPECT_EQ(Value(Kind::kFloat, "1x").number(), std::nullopt);
  EXPECT_EQ(Value(Kind::kFloat, "").number(), std::nullopt);
}

TEST(Verdict, SaysWhatIsWanted) {
  EXPECT_TRUE(Verdict::accept().accepted());
  const Verdict rejected = Verdict::reject("must not be negative");
  EXPECT_FALSE(rejected.accepted());
  EXPECT_EQ(rejected.rule(), "must not be negative");
}

}  // namespace
}  // namespace tallyman
