#include "client/job_request.h"

#include <gtest/gtest.h>

#include "client/retries.h"
#include "client/transport.h"

namespace tallyman::client {
namespace {

JobOptions every_option() {
  JobOptions options;
  options.format.delimiter = ';';
  options.format.null_value = "\\N";
  options.unique_fields = {"a b", "c"};
  options.update_fields = {{"d"}};
  options.on_duplicate = OnDuplicate::kLast;
  options.atomic = true;
  options.dry_run = true;
  options.max_errors = 7;
  options.max_error_ratio = "0.10";
  options.aggregates = R"({"n":{"type":"count"}})";
  options.expect = R"({"sum.amount":"1.50"})";
  return options;
}

TEST(JobRequestTest, WritesEveryOptionAsJson) {
  EXPECT_EQ(
      to_job_json(Operation::kUpsert, every_option()),
      R"({"operation":"upsert","content_type":"text/csv","delimiter":";","null_value":"\\N",)"
      R"("unique_fields":["a b","c"],"update_fields":["d"],"on_duplicate":"last",)"
      R"("mode":"atomic","dry_run":true,"max_errors":7,"max_error_ratio":0.10,)"
      R"("aggregates":{"n":{"type":"count"}},"expect":{"sum.amount":"1.50"}})");
}

TEST(JobRequestTest, WritesEveryOptionAsAQuery) {
  EXPECT_EQ(
      to_query(every_option()),
      "?unique_fields=a%20b,c&update_fields=d&delimiter=%3B&null_value=%5CN"
      "&on_duplicate=last&mode=atomic&dry_run=true&max_errors=7&max_error_ratio=0.10"
      "&aggregates=%7B%22n%22%3A%7B%22type%22%3A%22count%22%7D%7D"
      "&expect=%7B%22sum.amount%22%3A%221.50%22%7D");
}

TEST(JobRequestTest, LeavesDefaultsOutOfTheQuery) { EXPECT_EQ(to_query({}), ""); }

TEST(JobRequestTest, SaysNothingOfCsvForOtherTypes) {
  JobOptions options;
  options.format.type = ContentType::kNdjson;
  EXPECT_EQ(to_job_json(Operation::kInsert, options),
            R"({"operation":"insert","content_type":"application/x-ndjson",)"
            R"("on_duplicate":"sequence","mode":"partial"})");
}

TEST(JobRequestTest, HasAMethodForEveryOperation) {
  EXPECT_EQ(method_of(Operation::kInsert), "POST");
  EXPECT_EQ(method_of(Operation::kUpsert), "PATCH");
  EXPECT_EQ(method_of(Operation::kUpdate), "PATCH");
  EXPECT_EQ(method_of(Operation::kReplace), "PUT");
  EXPECT_EQ(method_of(Operation::kDelete), "DELETE");
}

TEST(RetriesTest, DoublesItsWaitsUpToTheGreatest) {
  RetryPolicy policy;
  policy.attempts_max = 9;
  Retries retries(policy);
  std::vector<std::int64_t> waits;
  while (const auto wait = retries.next(std::nullopt)) waits.push_back(wait->count());
  EXPECT_EQ(waits,
            (std::vector<std::int64_t>{250, 500, 1000, 2000, 4000, 8000, 8000, 8000}));
}

TEST(RetriesTest, DoesNotWaitForAServerThatAsksForTooMuch) {
  const RetryPolicy policy;
  Retries retries(policy);
  EXPECT_EQ(retries.next(policy.retry_after_max), policy.retry_after_max);
  EXPECT_FALSE(retries.next(policy.retry_after_max + std::chrono::seconds(1)));
}

TEST(RetriesTest, ReadsRetryAfter) {
  EXPECT_EQ(retry_after_seconds("5"), std::chrono::seconds(5));
  EXPECT_FALSE(retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT"));
  EXPECT_FALSE(retry_after_seconds("-1"));
  EXPECT_FALSE(retry_after_seconds(""));
}

}  // namespace
}  // namespace tallyman::client
