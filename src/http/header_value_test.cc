#include "http/header_value.h"

#include <gtest/gtest.h>

namespace tallyman::http {
namespace {

TEST(HeaderValueTest, ReadsParameters) {
  const auto value =
      parse_header_value(R"( Text/CSV ; Charset="u\"t;f" ;header=present;)");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->value, "text/csv");
  EXPECT_EQ(value->parameter("charset"), "u\"t;f");
  EXPECT_EQ(value->parameter("header"), "present");
  EXPECT_EQ(value->parameter("other"), std::nullopt);
}

TEST(HeaderValueTest, LeavesTheBackslashesOfWindowsPaths) {
  EXPECT_EQ(
      parse_header_value(R"(form-data; filename="C:\data\a.csv")")->parameter("filename"),
      R"(C:\data\a.csv)");
}

TEST(HeaderValueTest, ReadsAnEmptyValue) { EXPECT_EQ(parse_header_value("")->value, ""); }

TEST(HeaderValueTest, RefusesWhatIsNotOne) {
  for (const std::string_view text :
       {"a; b", "a; =c", "a; b=\"c", "a; b=\"c\"d", "a; b=1; B=2", "a; b=\"c\\\""}) {
    EXPECT_FALSE(parse_header_value(text)) << text;
  }
}

}  // namespace
}  // namespace tallyman::http
