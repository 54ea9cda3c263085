#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/aggregate.h"
#include "model/test_resource.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

Result<std::vector<ControlTotal>> parse(std::string_view json,
                                        bool is_delete_job = false) {
  return parse_control_totals(json, make_test_resource(), is_delete_job);
}

void expect_refused(const std::string& json, const std::string& because) {
  SCOPED_TRACE(json);
  const auto parsed = parse(json);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(parsed.error().message, HasSubstr(because));
}

TEST(ControlTotal, ReadsTypeFieldAndExpectedDigits) {
  const auto totals = parse(R"({"count": 2, "sum.amount": "175.75", "avg.amount":87.875 ,
                                "min.id": -3, "max.ratio": 0.50,
                                "count_distinct.category": 2})")
                          .value();
  ASSERT_EQ(totals.size(), 6u);
  EXPECT_EQ(totals[0].aggregate.name, "count");
  EXPECT_EQ(totals[0].aggregate.type, AggregateType::kCount);
  EXPECT_EQ(totals[0].aggregate.field, "");
  EXPECT_EQ(totals[0].expected, "2");
  EXPECT_EQ(totals[1].aggregate.name, "sum.amount");
  EXPECT_EQ(totals[1].aggregate.type, AggregateType::kSum);
  EXPECT_EQ(totals[1].aggregate.field, "amount");
  EXPECT_EQ(totals[1].expected, "175.75");
  EXPECT_EQ(totals[2].expected, "87.875");
  EXPECT_EQ(totals[3].expected, "-3");
  EXPECT_EQ(totals[4].expected, "0.50");
  EXPECT_EQ(totals[5].aggregate.type, AggregateType::kCountDistinct);
  EXPECT_EQ(totals[5].aggregate.field, "category");
  EXPECT_TRUE(parse("{}").value().empty());
}

// More than a double or 64 bits hold.
TEST(ControlTotal, KeepsEveryDigitOfANumber) {
  const std::string digits =
      "123456789012345678901234567890.123456789012345678901234567890";
  EXPECT_EQ(parse("{\"sum.amount\": " + digits + "}").value()[0].expected, digits);
  EXPECT_EQ(parse("{\"sum.amount\": \"" + digits + "\"}").value()[0].expected, digits);
  EXPECT_EQ(parse("{\"sum.id\":99999999999999999999}").value()[0].expected,
            "99999999999999999999");
}

TEST(ControlTotal, AFieldMayHaveAPointInItsName) {
  EXPECT_EQ(parse(R"({"sum.a.b": 1})").value()[0].aggregate.field, "a.b");
}

TEST(ControlTotal, RefusesWhatIsNoPlainDecimal) {
  for (const char* expected :
       {"true",        "null",     "[]",      "[1]",      "{}",
        R"({"a": 1})", R"("")",    R"("x")",  R"("1e3")", "1e3",
        R"("+1")",     R"("01")",  R"(" 1")", R"("1 ")",  R"(".5")",
        R"("5.")",     R"("NaN")", "01",      "1.",       "-"}) {
    expect_refused("{\"sum.amount\": " + std::string(expected) + "}", "control total");
  }
}

TEST(ControlTotal, NamesTheUnknownAndItsNearestNeighbour) {
  expect_refused(R"({"sum.amout": 1})",
                 "control total \"sum.amout\": no field \"amout\"");
  expect_refused(R"({"sum.amout": 1})", "did you mean \"amount\"?");
  expect_refused(R"({"cuont": 1})", "did you mean \"count\"?");
  expect_refused(R"({"sum": 1})", "needs a \"field\"");
  expect_refused(R"({"count.id": 1})", "takes no \"field\"");
  expect_refused(R"({"sum.category": 1})", "is of type text");
  expect_refused(R"({"max.day": 1})", "is of type date");
  expect_refused(R"({"custom.largest": 1})", "cannot be a control total");
  expect_refused(R"({"custom": 1})", "cannot be a control total");
  expect_refused(R"({"count": 1, "count": 1})", "\"count\" is there twice");
}

TEST(ControlTotal, RefusesWhatIsNoJsonObject) {
  for (const char* text :
       {"", "[]", "3", "null", "{", "{\"count\": 1", "{\"count\" 1}", "{\"count\": 1} x",
        "{\"count\": 1}}", "{\"count\": 1,}", "{\"count\": 1 2}", "{\"\xff\": 1}"}) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument) << text;
  }
}

TEST(ControlTotal, OfADeleteJobIsACount) {
  EXPECT_TRUE(parse(R"({"count": 2})", true).ok());
  EXPECT_FALSE(parse(R"({"sum.amount": 2})", true).ok());
}

}  // namespace
}  // namespace tallyman
