#include "api/rest/bodies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/rest/test_job.h"

namespace tallyman::rest {
namespace {

using testing::HasSubstr;
using testing::Not;

JobStatus status_of(Job job) {
  JobStatus status{.job = std::move(job)};
  status.percentage = 100.0;
  status.aggregates_ready = true;
  return status;
}

TEST(StatusBody, HasEveryMemberInItsType) {
  EXPECT_EQ(
      status_body(status_of(complete_job())),
      R"({"job_id":"0190a0b0-0000-7000-8000-000000000001","number":17,"job_type":"insert",)"
      R"("state":"Job Complete","created_at":"2024-01-15T10:30:00Z",)"
      R"("updated_at":"2024-01-15T10:35:00Z","completed_at":"2024-01-15T10:35:00Z",)"
      R"("total_items":2,"processed_items":2,"success_count":2,"error_count":0,)"
      R"("percentage":100.0,"aggregates_ready":true,"aggregates_completed":false,)"
      R"("created_count":2,"updated_count":0,"deleted_count":0,"unchanged_count":0,)"
      R"("unprocessed_count":0,"verified":true,"error_summary":{},"errors":[],)"
      R"("estimated_remaining":null,"can_retry":false,"retries":0,)"
      R"("results_url":"/api/transactions/jobs/0190a0b0-0000-7000-8000-000000000001/results/",)"
      R"("message":"2 items are processed: 2 succeeded, 0 failed"})");
}

TEST(StatusBody, HasNullWhereNothingIsKnownYet) {
  Job job = complete_job();
  job.state = JobState::kOpen;
  job.completed_at.reset();
  job.total_items.reset();
  const std::string body = status_body(status_of(job));
  EXPECT_THAT(body, HasSubstr("\"completed_at\":null"));
  EXPECT_THAT(body, HasSubstr("\"total_items\":null"));
}

TEST(StatusBody, ListsErrorsByRecordAndCountsThemByCode) {
  JobStatus status = status_of(complete_job());
  status.error_counts[static_cast<std::size_t>(RecordErrorCode::kInvalidType)] = 2;
  status.errors = {
      {RecordNumber(7), {RecordErrorCode::kInvalidType, "age", "must be a whole number"}},
      {RecordNumber(9), {RecordErrorCode::kMalformedRecord, "", "has 2 cells"}}};
  const std::string body = status_body(status);
  EXPECT_THAT(body, HasSubstr(R"("error_summary":{"INVALID_TYPE":2})"));
  EXPECT_THAT(body, HasSubstr(R"({"record":7,"code":"INVALID_TYPE","field":"age",)"
                              R"("message":"must be a whole number"})"));
  EXPECT_THAT(body, HasSubstr(R"({"record":9,"code":"MALFORMED_RECORD","field":null,)"));
}

TEST(StatusBody, TellsCircumstancesOnlyWhereTheyApply) {
  const std::string plain = status_body(status_of(complete_job()));
  for (const char* member :
       {"checked_items", "dry_run", "lanes_reason", "parent_id", "superseded"}) {
    EXPECT_THAT(plain, Not(HasSubstr(member)));
  }
  Job job = complete_job();
  job.options.dry_run = true;
  job.checked_items = 2;
  job.lanes_reason = "two unique keys";
  job.parent = job.id;
  job.superseded = 3;
  const std::string full = status_body(status_of(job));
  EXPECT_THAT(full, HasSubstr("\"checked_items\":2"));
  EXPECT_THAT(full, HasSubstr("\"dry_run\":true"));
  EXPECT_THAT(full, HasSubstr("\"lanes_reason\":\"two unique keys\""));
  EXPECT_THAT(full, HasSubstr("\"parent_id\":\"0190a0b0-0000-7000-8000-000000000001\""));
  EXPECT_THAT(full, HasSubstr("\"superseded\":3"));
}

TEST(StatusBody, PrefersTheReasonThatTheJobHas) {
  Job job = complete_job();
  job.message = "aborted by somebody";
  EXPECT_THAT(status_body(status_of(job)),
              HasSubstr("\"message\":\"aborted by somebody\""));
}

TEST(StartedBody, SaysWhatTheJobDoes) {
  Job job = complete_job();
  EXPECT_EQ(
      started_body(job),
      R"({"message":"Enhanced bulk create job started for 2 items",)"
      R"("job_id":"0190a0b0-0000-7000-8000-000000000001","task_id":"job-17","total_items":2,)"
      R"("status_url":"/api/transactions/jobs/0190a0b0-0000-7000-8000-000000000001/status/",)"
      R"("aggregates_url":)"
      R"("/api/transactions/jobs/0190a0b0-0000-7000-8000-000000000001/aggregates/"})");
  for (const Operation operation : {Operation::kUpdate, Operation::kUpsert,
                                    Operation::kReplace, Operation::kDelete}) {
    job.operation = operation;
    EXPECT_THAT(started_body(job),
                HasSubstr("Enhanced bulk " + std::string(name(operation)) +
                          " job started for 2 items"));
  }
}

TEST(StartedBody, NamesTheFieldsOfAnUpsert) {
  Job job = complete_job();
  job.operation = Operation::kUpsert;
  job.options.unique_fields = {"account_id", "external_ref"};
  EXPECT_THAT(
      started_body(job),
      HasSubstr(R"("unique_fields":["account_id","external_ref"],"update_fields":null)"));
  job.options.update_fields = {{"amount"}};
  EXPECT_THAT(started_body(job), HasSubstr(R"("update_fields":["amount"])"));
}

TEST(StartedBody, NamesTheParentOfARetry) {
  Job job = complete_job();
  job.parent = job.id;
  job.superseded = 1;
  EXPECT_THAT(
      started_body(job),
      HasSubstr(R"("parent_id":"0190a0b0-0000-7000-8000-000000000001","superseded":1)"));
}

TEST(ListedBody, EncodesTheResourceInItsPaths) {
  Job job = complete_job();
  job.resource = "a\"b c/\xc3\xa9";
  const std::string body = listed_body(job);
  EXPECT_THAT(body, HasSubstr("\"/api/a%22b%20c%2F%C3%A9/jobs/0190a0b0-"));
  EXPECT_THAT(body, HasSubstr(R"("resource":"a\"b c/)"));
}

TEST(ListedBody, CountsWhatWasNotProcessedOnceTheJobHasEnded) {
  Job job = complete_job();
  job.counts = {.created = 1};
  job.state = JobState::kInProgress;
  EXPECT_THAT(listed_body(job), HasSubstr("\"unprocessed_count\":0"));
  job.state = JobState::kAborted;
  EXPECT_THAT(listed_body(job), HasSubstr("\"unprocessed_count\":1"));
}

TEST(HistoryBody, TellsWhatHappenedWhenAndByWhom) {
  const std::string body =
      history_body(complete_job().id, history_to(JobState::kUploadComplete));
  EXPECT_THAT(body,
              HasSubstr(R"({"sequence":1,"at":"2024-01-15T10:30:00Z","event":"event",)"
                        R"("from":null,"to":"Open","by":"somebody","detail":""})"));
  EXPECT_THAT(body, HasSubstr(R"("from":"Open","to":"Upload Complete")"));
}

}  // namespace
}  // namespace tallyman::rest
