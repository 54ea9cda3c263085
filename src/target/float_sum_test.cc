#include "target/float_sum.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "base/decimal.h"

namespace tallyman {
namespace {

double sum_of(const std::vector<double>& values) {
  FloatSum sum;
  for (const double value : values) sum.add(value);
  return sum.sum();
}

// Every double is a decimal of at most 1,074 digits after the point: exact, and slow.
double sum_by_decimals(const std::vector<double>& values) {
  Decimal sum;
  char text[1500];
  for (const double value : values) {
    std::snprintf(text, sizeof text, "%.1074f", value);
    sum += Decimal::parse(text).value();
  }
  return std::strtod(sum.to_string().c_str(), nullptr);
}

TEST(FloatSum, RoundsOnce) {
  EXPECT_EQ(sum_of({}), 0);
  EXPECT_EQ(sum_of({0.1, 0.2, 0.3}), 0.6);
  EXPECT_EQ(sum_of(std::vector<double>(10, 0.1)), 1.0);
  EXPECT_EQ(sum_of({1e100, 1, -1e100}), 1);
  EXPECT_EQ(sum_of({1, 1e-300, -1}), 1e-300);
  EXPECT_EQ(sum_of({9007199254740992, 1}), 9007199254740992);  // Half to even.
  EXPECT_EQ(sum_of({9007199254740992, 1, 1e-300}), 9007199254740994);
  EXPECT_EQ(sum_of({-9007199254740994, -1}), -9007199254740996);
}

TEST(FloatSum, KnowsTheEdgesOfDoubles) {
  const double largest = std::numeric_limits<double>::max();
  const double smallest = std::numeric_limits<double>::denorm_min();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(sum_of({smallest, smallest}), 2 * smallest);
  EXPECT_EQ(sum_of({-smallest}), -smallest);
  EXPECT_EQ(sum_of({largest}), largest);
  EXPECT_EQ(sum_of({largest, largest}), infinity);
  EXPECT_EQ(sum_of({largest, largest, -largest}), largest);
  EXPECT_EQ(sum_of({-largest, -largest}), -infinity);
  EXPECT_EQ(sum_of({1, infinity}), infinity);
  EXPECT_TRUE(std::isnan(sum_of({infinity, -infinity})));
}

RC_GTEST_PROP(FloatSumProperty, IsTheExactSumRounded, (std::vector<std::uint64_t> bits)) {
  std::vector<double> values;
  for (const std::uint64_t pattern : bits) {
    const double value = std::bit_cast<double>(pattern * 0x9E3779B97F4A7C15ULL);
    if (std::isfinite(value)) values.push_back(value);
  }
  RC_ASSERT(sum_of(values) == sum_by_decimals(values));
  std::reverse(values.begin(), values.end());
  RC_ASSERT(sum_of(values) == sum_by_decimals(values));
}

RC_GTEST_PROP(FloatSumProperty, OfNearNumbersToo, (std::vector<std::int32_t> parts)) {
  std::vector<double> values;
  for (const std::int32_t part : parts) values.push_back(part / 1000.0);
  RC_ASSERT(sum_of(values) == sum_by_decimals(values));
}

}  // namespace
}  // namespace tallyman
