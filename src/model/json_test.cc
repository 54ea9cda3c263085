#include "tallyman/json.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "model/json_number.h"

namespace tallyman {
namespace {

TEST(Json, WritesEveryKindOfValue) {
  EXPECT_EQ(Json::null().dump(), "null");
  EXPECT_EQ(Json::boolean(true).dump(), "true");
  EXPECT_EQ(Json::boolean(false).dump(), "false");
  EXPECT_EQ(Json::integer(-9223372036854775807 - 1).dump(), "-9223372036854775808");
  EXPECT_EQ(Json::text("a \"b\"\n").dump(), R"("a \"b\"\n")");
  EXPECT_EQ(Json::array({}).dump(), "[]");
  EXPECT_EQ(Json::object({}).dump(), "{}");
}

TEST(Json, KeepsTheOrderAndTheDigitsOfItsParts) {
  const Json json = Json::object(
      {{"Food", Json::integer(1)},
       {"total", Json::number("175.7500000000000000000000")},
       {"list",
        Json::array({Json::null(), Json::object({{"\"", Json::boolean(true)}})})}});
  EXPECT_EQ(json.dump(),
            R"({"Food":1,"total":175.7500000000000000000000,"list":[null,{"\"":true}]})");
}

TEST(Json, ANumberIsAJsonNumber) {
  for (const char* digits : {"0", "-0", "7", "10", "-12.50", "0.001", "1e3", "1E+3",
                             "1.5e-300", "123456789012345678901234567890"}) {
    EXPECT_EQ(Json::number(digits).dump(), digits);
    EXPECT_TRUE(is_json_number(digits)) << digits;
  }
  for (const char* digits :
       {"",   "-",   "+1",   "01",  "-01",      ".5",    "5.",
        "1e", "1e+", "1.e3", "NaN", "Infinity", "0x1",   " 1",
        "1 ", "1,5", "1-",   "--1", "1.2.3",    "1e3.5", "\xD9\xA1"}) {
    EXPECT_THROW(Json::number(digits), std::invalid_argument) << digits;
    EXPECT_FALSE(is_json_number(digits)) << digits;
  }
}

TEST(Json, APlainDecimalHasNoExponent) {
  EXPECT_TRUE(is_plain_decimal("-12.50"));
  EXPECT_TRUE(is_plain_decimal("0"));
  EXPECT_FALSE(is_plain_decimal("1e3"));
  EXPECT_FALSE(is_plain_decimal("1."));
  EXPECT_FALSE(is_plain_decimal(""));
}

}  // namespace
}  // namespace tallyman
