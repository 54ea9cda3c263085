#include "api/rest/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tallyman::rest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<JobOptions> read(std::vector<SentOption> sent,
                        ContentType type = ContentType::kCsv) {
  return read_options(sent, type);
}

JobOptions good(SentOption option) {
  auto options = read({std::move(option)});
  EXPECT_TRUE(options.ok());
  return std::move(options).value();
}

std::string refusal(const std::string& name, const std::string& text,
                    ContentType type = ContentType::kCsv) {
  const auto options = read({{.name = name, .text = text}}, type);
  EXPECT_FALSE(options.ok()) << name << "=" << text;
  if (options.ok()) return "";
  EXPECT_EQ(options.error().code, ErrorCode::kInvalidArgument);
  return options.error().message;
}

TEST(Options, HaveTheirDefaultsWhereNothingIsSent) {
  const auto options = read({}, ContentType::kJson);
  ASSERT_TRUE(options.ok());
  JobOptions expected;
  expected.format.type = ContentType::kJson;
  EXPECT_TRUE(options.value() == expected);
}

TEST(Options, AreReadEachByItself) {
  EXPECT_THAT(good({.name = "unique_fields", .text = "a,b"}).unique_fields,
              ElementsAre("a", "b"));
  EXPECT_THAT(*good({.name = "update_fields", .text = "c"}).update_fields,
              ElementsAre("c"));
  EXPECT_EQ(good({.name = "on_duplicate", .text = "last"}).on_duplicate,
            OnDuplicate::kLast);
  EXPECT_TRUE(good({.name = "mode", .text = "atomic"}).atomic);
  EXPECT_FALSE(good({.name = "mode", .text = "partial"}).atomic);
  EXPECT_TRUE(good({.name = "dry_run", .text = "true"}).dry_run);
  EXPECT_FALSE(good({.name = "dry_run", .text = "false"}).dry_run);
  EXPECT_EQ(good({.name = "max_errors", .text = "0"}).max_errors, 0u);
  EXPECT_EQ(good({.name = "max_error_ratio", .text = "0.1"}).max_error_ratio, "0.1");
  EXPECT_EQ(good({.name = "aggregates", .text = "{}"}).aggregates, "{}");
  EXPECT_EQ(good({.name = "expect", .text = "{}"}).expect, "{}");
  EXPECT_EQ(good({.name = "delimiter", .text = ";"}).format.delimiter, ';');
  EXPECT_EQ(good({.name = "delimiter", .text = "tab"}).format.delimiter, '\t');
  EXPECT_EQ(good({.name = "delimiter", .text = "\t"}).format.delimiter, '\t');
  EXPECT_EQ(good({.name = "null_value", .text = "\\N"}).format.null_value, "\\N");
}

TEST(Options, TakeNamesWithCommasAsAList) {
  const JobOptions options =
      good({.name = "unique_fields", .text = "", .names = {{"a,b", "c"}}});
  EXPECT_THAT(options.unique_fields, ElementsAre("a,b", "c"));
}

TEST(Options, ThatAreUnknownAreRefusedWithTheNearestName) {
  EXPECT_THAT(refusal("unique_field", "a"), HasSubstr("did you mean 'unique_fields'?"));
  EXPECT_THAT(refusal("dryrun", "true"), HasSubstr("did you mean 'dry_run'?"));
  EXPECT_THAT(refusal("zzz", "1"), HasSubstr("known: aggregates, delimiter"));
}

TEST(Options, ThatAreSentTwiceAreRefused) {
  const auto options =
      read({{.name = "mode", .text = "atomic"}, {.name = "mode", .text = "x"}});
  ASSERT_FALSE(options.ok());
  EXPECT_THAT(options.error().message, HasSubstr("'mode' is sent twice"));
}

TEST(Options, ThatCannotBeReadAreRefusedWithWhatCan) {
  EXPECT_THAT(refusal("unique_fields", ""), HasSubstr("field names"));
  EXPECT_THAT(refusal("unique_fields", "a,"), HasSubstr("none may be empty"));
  EXPECT_THAT(refusal("unique_fields", "a,a"), HasSubstr("names a field twice"));
  EXPECT_THAT(refusal("on_duplicate", "skip"),
              HasSubstr("sequence, first, last or error"));
  EXPECT_THAT(refusal("mode", "ATOMIC"), HasSubstr("partial or atomic"));
  EXPECT_THAT(refusal("dry_run", "1"), HasSubstr("true or false"));
  for (const char* number : {"-1", "1.5", "", " 1", "18446744073709551616"}) {
    EXPECT_THAT(refusal("max_errors", number), HasSubstr("whole number"));
  }
  for (const char* ratio : {"1.1", "-0.1", "10%", "", ".1"}) {
    EXPECT_THAT(refusal("max_error_ratio", ratio), HasSubstr("from 0 to 1"));
  }
  for (const char* delimiter : {"", ";;", "\"", "\n", "\r", "\x80"}) {
    EXPECT_THAT(refusal("delimiter", delimiter), HasSubstr("one ASCII character"));
  }
  EXPECT_THAT(refusal("null_value", "a\"b"), HasSubstr("no quote"));
}

TEST(Options, OfCsvAreRefusedElsewhere) {
  EXPECT_THAT(refusal("delimiter", ";", ContentType::kJson),
              HasSubstr("is for text/csv"));
  EXPECT_THAT(refusal("null_value", "x", ContentType::kNdjson),
              HasSubstr("is for text/csv"));
}

TEST(Parameters, ThatAreUnknownOrSentTwiceAreRefused) {
  using Query = std::vector<std::pair<std::string, std::string>>;
  const std::vector<std::string> known = {"limit"};
  EXPECT_TRUE(require_known_parameters(Query{{"limit", "1"}}, known).ok());
  EXPECT_THAT(require_known_parameters(Query{{"limt", "1"}}, known).error().message,
              HasSubstr("did you mean 'limit'?"));
  EXPECT_THAT(require_known_parameters(Query{{"x", "1"}}, {}).error().message,
              HasSubstr("it takes none"));
  EXPECT_FALSE(
      require_known_parameters(Query{{"limit", "1"}, {"limit", "1"}}, known).ok());
}

}  // namespace
}  // namespace tallyman::rest
