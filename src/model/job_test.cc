#include "model/job.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>

namespace tallyman {
namespace {

JobOptions everything_set() {
  JobOptions options;
  options.format = {ContentType::kNdjson, ';', "NULL \"\\\n\xC3\xA9"};
  options.unique_fields = {"a", "b \"c\""};
  options.update_fields = {"d"};
  options.on_duplicate = OnDuplicate::kLast;
  options.atomic = true;
  options.dry_run = true;
  options.max_errors = std::numeric_limits<std::uint64_t>::max();
  options.max_error_ratio = "0.10";
  options.aggregates = R"({"n": {"type": "count"}})";
  options.expect = R"({"sum.a": 12345678901234567890.10})";
  return options;
}

std::uint64_t budget(std::string ratio, std::uint64_t total) {
  JobOptions options;
  options.max_error_ratio = std::move(ratio);
  return error_budget(options, total).value();
}

TEST(OnDuplicate, NamesRoundTripAndNumbersNeverChange) {
  const std::pair<OnDuplicate, std::string_view> kRules[] = {
      {OnDuplicate::kSequence, "sequence"},
      {OnDuplicate::kFirst, "first"},
      {OnDuplicate::kLast, "last"},
      {OnDuplicate::kError, "error"}};
  int number = 0;
  for (const auto& [rule, text] : kRules) {
    EXPECT_EQ(name(rule), text);
    EXPECT_EQ(on_duplicate_from_name(text), rule);
    EXPECT_EQ(static_cast<int>(rule), number++);
  }
  EXPECT_EQ(on_duplicate_from_name("Sequence"), std::nullopt);
}

TEST(JobOptions, WhatIsWrittenReadsBackEqual) {
  for (const JobOptions& options : {JobOptions{}, everything_set()}) {
    const auto read = job_options_from_json(to_json(options));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read.value(), options);
    EXPECT_EQ(to_json(read.value()), to_json(options));
  }
}

TEST(JobOptions, KeepTheirForm) {
  EXPECT_EQ(to_json(JobOptions{}),
            R"({"content_type":"text/csv","delimiter":",","null_value":"",)"
            R"("unique_fields":[],"on_duplicate":"sequence","atomic":false,)"
            R"("dry_run":false,"aggregates":"","expect":""})");
}

TEST(JobOptions, AnEmptyListOfUpdateFieldsIsNotNone) {
  JobOptions options;
  options.update_fields.emplace();
  const JobOptions read = job_options_from_json(to_json(options)).value();
  ASSERT_TRUE(read.update_fields.has_value());
  EXPECT_TRUE(read.update_fields->empty());
  EXPECT_NE(read, JobOptions{});
}

TEST(JobOptions, DifferInEachMember) {
  using Change = void (*)(JobOptions&);
  const Change kChanges[] = {
      [](JobOptions& options) { options.format.type = ContentType::kJson; },
      [](JobOptions& options) { options.format.delimiter = '\t'; },
      [](JobOptions& options) { options.format.null_value = "-"; },
      [](JobOptions& options) { options.unique_fields = {"a"}; },
      [](JobOptions& options) { options.update_fields = {"a"}; },
      [](JobOptions& options) { options.on_duplicate = OnDuplicate::kFirst; },
      [](JobOptions& options) { options.atomic = true; },
      [](JobOptions& options) { options.dry_run = true; },
      [](JobOptions& options) { options.max_errors = 0; },
      [](JobOptions& options) { options.max_error_ratio = "0"; },
      [](JobOptions& options) { options.aggregates = "{}"; },
      [](JobOptions& options) { options.expect = "{}"; },
  };
  for (std::size_t i = 0; i < std::size(kChanges); ++i) {
    SCOPED_TRACE(i);
    JobOptions changed;
    kChanges[i](changed);
    EXPECT_NE(changed, JobOptions{});
    EXPECT_NE(to_json(changed), to_json(JobOptions{}));
    EXPECT_EQ(job_options_from_json(to_json(changed)).value(), changed);
  }
}

TEST(JobOptions, RefuseWhatTheyDoNotKnowAndNameIt) {
  for (const auto& [json, named] :
       std::initializer_list<std::pair<const char*, const char*>>{
           {R"({"colour": 1})", "\"colour\""},
           {R"({"content_type": "text/plain"})", "\"content_type\""},
           {R"({"delimiter": ";;"})", "\"delimiter\""},
           {R"({"delimiter": ""})", "\"delimiter\""},
           {R"({"unique_fields": "a"})", "\"unique_fields\""},
           {R"({"unique_fields": [1]})", "\"unique_fields\""},
           {R"({"on_duplicate": "all"})", "\"on_duplicate\""},
           {R"({"atomic": "true"})", "\"atomic\""},
           {R"({"max_errors": -1})", "\"max_errors\""},
           {R"({"max_error_ratio": "1.1"})", "\"max_error_ratio\""},
           {R"([])", "not a JSON object"},
           {R"({)", "not a JSON object"},
           {"", "not a JSON object"}}) {
    const auto read = job_options_from_json(json);
    ASSERT_FALSE(read.ok()) << json;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(read.error().message.find(named), std::string::npos)
        << read.error().message;
  }
}

TEST(ErrorRatio, IsAPlainDecimalFromZeroToOne) {
  for (const char* text :
       {"0", "0.0", "0.1", "0.05", "0.999999999999999999999999", "1", "1.0", "1.000"}) {
    EXPECT_TRUE(is_error_ratio(text)) << text;
  }
  for (const char* text : {"", ".", ".5", "0.", "1.", "1.1", "1.0001", "2", "-0.1", "-0",
                           "+0.1", "00.1", "0.1 ", "0,1", "1e-2", "0x1", "10", "nan"}) {
    EXPECT_FALSE(is_error_ratio(text)) << text;
  }
}

TEST(ErrorBudget, IsTheFloorOfRatioTimesTotalToTheLastDigit) {
  // With doubles: 0.29 * 100 = 28.999..., 0.1 * 3 = 0.30000000000000004.
  EXPECT_EQ(budget("0.29", 100), 29u);
  EXPECT_EQ(budget("0.1", 1000), 100u);
  EXPECT_EQ(budget("0.1", 999), 99u);
  EXPECT_EQ(budget("0.07", 100), 7u);
  EXPECT_EQ(budget("0.0", 1000), 0u);
  EXPECT_EQ(budget("0", 1000), 0u);
  EXPECT_EQ(budget("1", 1000), 1000u);
  EXPECT_EQ(budget("1.000", 1000), 1000u);
  EXPECT_EQ(budget("0.5", 0), 0u);
  EXPECT_EQ(budget("0.333333333333333333333333333333333333", 3), 0u);
  EXPECT_EQ(budget("0.333333333333333333333333333333333334", 3), 1u);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(budget("1", kMost), kMost);
  EXPECT_EQ(budget("0.9999999999999999999999999999", kMost), kMost - 1);
  EXPECT_EQ(budget("0.5", kMost), kMost / 2);
}

// Every ratio of three digits and every total up to 200, against whole numbers.
TEST(ErrorBudget, AgreesWithWholeNumbers) {
  for (std::uint64_t thousandths = 0; thousandths < 1000; ++thousandths) {
    const std::string ratio = fmt::format("0.{:03}", thousandths);
    for (std::uint64_t total = 0; total <= 200; ++total) {
      ASSERT_EQ(budget(ratio, total), thousandths * total / 1000)
          << ratio << " of " << total;
    }
  }
}

TEST(ErrorBudget, IsTheSmallerOfTheTwo) {
  JobOptions options;
  EXPECT_EQ(error_budget(options, 100), std::nullopt);
  options.max_errors = 7;
  EXPECT_EQ(error_budget(options, 100), 7u);
  options.max_error_ratio = "0.05";
  EXPECT_EQ(error_budget(options, 100), 5u);
  EXPECT_EQ(error_budget(options, 1000), 7u);
}

}  // namespace
}  // namespace tallyman
