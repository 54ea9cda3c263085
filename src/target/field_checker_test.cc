#include "target/field_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace tallyman {
namespace {

using testing::HasSubstr;
using Kind = Value::Kind;

Field field_with(FieldRules rules) { return {.name = "f", .rules = std::move(rules)}; }

std::string code(const FieldRules& rules, Kind kind, std::string_view text) {
  const auto checker = FieldChecker::make(field_with(rules));
  EXPECT_TRUE(checker.ok()) << checker.error().message;
  const auto error = checker.value().check(Value(kind, text));
  return error ? std::string(name(error->code)) : "accepted";
}

TEST(FieldChecker, HoldsNumbersToTheirBoundsInclusively) {
  const FieldRules rules = {.minimum = "-1.5", .maximum = "10"};
  EXPECT_EQ(code(rules, Kind::kDecimal, "-1.5"), "accepted");
  EXPECT_EQ(code(rules, Kind::kDecimal, "-1.51"), "VALUE_OUT_OF_RANGE");
  EXPECT_EQ(code(rules, Kind::kInteger, "10"), "accepted");
  EXPECT_EQ(code(rules, Kind::kFloat, "1e+01"), "accepted");
  EXPECT_EQ(code(rules, Kind::kFloat, "10.000000000000002"), "VALUE_OUT_OF_RANGE");
}

TEST(FieldChecker, CountsCodePoints) {
  Field field = field_with({.max_length = 3});
  field.max_length = 2;  // The table's, which is smaller.
  const auto checker = FieldChecker::make(field).value();
  EXPECT_TRUE(checker.trivial());
  EXPECT_FALSE(checker.is_too_long("äß"));
  EXPECT_TRUE(checker.is_too_long("äßx"));
  EXPECT_THAT(checker.too_long().message, HasSubstr("2 characters"));
}

TEST(FieldChecker, ComparesChoicesAsNumbersWhereTheyAre) {
  const FieldRules rules = {.choices = {"1.5", "two"}};
  EXPECT_EQ(code(rules, Kind::kDecimal, "1.50"), "accepted");
  EXPECT_EQ(code(rules, Kind::kText, "1.50"), "INVALID_CHOICE");
  EXPECT_EQ(code(rules, Kind::kText, "two"), "accepted");
  EXPECT_EQ(code(rules, Kind::kText, "Two"), "INVALID_CHOICE");
}

TEST(FieldChecker, MatchesWholeTexts) {
  const FieldRules rules = {.pattern = "[a-z]+|[0-9]"};
  EXPECT_EQ(code(rules, Kind::kText, "abc"), "accepted");
  EXPECT_EQ(code(rules, Kind::kText, "abc1"), "VALIDATION_FAILED");
  EXPECT_EQ(code(rules, Kind::kText, ""), "VALIDATION_FAILED");
}

TEST(FieldChecker, LetsNullPass) {
  const FieldRules rules = {.choices = {"a"}, .minimum = "1", .pattern = "a"};
  EXPECT_EQ(code(rules, Kind::kNull, ""), "accepted");
}

TEST(FieldChecker, ShowsTheRuleAndNeverTheValue) {
  FieldRules rules;
  rules.validators.push_back([](const Value& value) -> Verdict {
    throw std::runtime_error(std::string(value.text()));
  });
  const auto checker = FieldChecker::make(field_with(rules)).value();
  const auto error = checker.check(Value(Kind::kText, "secret"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, RecordErrorCode::kValidationFailed);
  EXPECT_THAT(error->message, testing::Not(HasSubstr("secret")));
}

TEST(FieldChecker, RefusesRulesThatCannotBeRead) {
  EXPECT_THAT(FieldChecker::make(field_with({.pattern = "(a"})).error().message,
              HasSubstr("\"f\""));
  EXPECT_THAT(FieldChecker::make(field_with({.minimum = "one"})).error().message,
              HasSubstr("minimum"));
  EXPECT_EQ(FieldChecker::make(field_with({.maximum = ""})).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tallyman
