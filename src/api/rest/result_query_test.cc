#include "api/rest/result_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tallyman::rest {
namespace {

using testing::HasSubstr;

http::Request with(std::vector<std::pair<std::string, std::string>> query,
                   std::string_view accept = {}) {
  http::Request request;
  request.query = std::move(query);
  if (!accept.empty()) request.headers.add("Accept", accept);
  return request;
}

TEST(Accept, TakesTheTypeItNames) {
  EXPECT_EQ(preferred_format("text/csv"), ResultFormat::kCsv);
  EXPECT_EQ(preferred_format("Application/X-NDJSON"), ResultFormat::kNdjson);
  EXPECT_EQ(preferred_format("application/json; charset=utf-8"), ResultFormat::kJson);
}

TEST(Accept, TakesCsvWhereItDoesNotMind) {
  EXPECT_EQ(preferred_format("*/*"), ResultFormat::kCsv);
  EXPECT_EQ(preferred_format("text/html, */*;q=0.1"), ResultFormat::kCsv);
  EXPECT_EQ(preferred_format("text/*"), ResultFormat::kCsv);
  EXPECT_EQ(preferred_format("application/*"), ResultFormat::kNdjson);
}

TEST(Accept, WeighsQualities) {
  EXPECT_EQ(preferred_format("text/csv;q=0.5, application/json;q=0.8"),
            ResultFormat::kJson);
  EXPECT_EQ(preferred_format("text/csv;q=0.123, application/json;q=0.12"),
            ResultFormat::kCsv);
  EXPECT_EQ(preferred_format("*/*, text/csv;q=0"), ResultFormat::kNdjson);
  EXPECT_EQ(preferred_format("*/*;q=0.2, application/json"), ResultFormat::kJson);
}

TEST(Accept, TakesNoneWhereNoneIsNamed) {
  EXPECT_EQ(preferred_format("text/html"), std::nullopt);
  EXPECT_EQ(preferred_format("image/*, text/csv;q=0"), std::nullopt);
}

TEST(ResultQuery, TakesTheParameterBeforeTheHeader) {
  EXPECT_EQ(requested_format(with({{"format", "json"}}, "text/csv")),
            ResultFormat::kJson);
  EXPECT_EQ(requested_format(with({{"format", "text/csv"}}, "image/png")),
            ResultFormat::kCsv);
  EXPECT_EQ(requested_format(with({{"format", "xlsx"}})), std::nullopt);
  EXPECT_EQ(requested_format(with({})), ResultFormat::kCsv);
}

TEST(ResultQuery, RefusesWhatItCannotRead) {
  const auto refusal = [](std::vector<std::pair<std::string, std::string>> query,
                          ResultFormat format) {
    const auto parsed = parse_result_query(with(std::move(query)), format);
    return parsed.ok() ? std::string() : parsed.error().message;
  };
  EXPECT_THAT(refusal({{"outcome", "bad"}}, ResultFormat::kCsv), HasSubstr("'outcome'"));
  EXPECT_THAT(refusal({{"outcom", "failed"}}, ResultFormat::kCsv),
              HasSubstr("did you mean 'outcome'?"));
  EXPECT_THAT(refusal({{"safe", "yes"}}, ResultFormat::kCsv), HasSubstr("'safe'"));
  EXPECT_THAT(refusal({{"safe", "spreadsheet"}}, ResultFormat::kJson),
              HasSubstr("for CSV"));
  EXPECT_EQ(
      refusal({{"safe", "spreadsheet"}, {"outcome", "succeeded"}}, ResultFormat::kCsv),
      "");
}

}  // namespace
}  // namespace tallyman::rest
