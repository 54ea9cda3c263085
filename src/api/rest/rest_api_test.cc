#include "api/rest/rest_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/rest/test_server.h"

namespace tallyman::rest {
namespace {

using testing::HasSubstr;
using testing::Not;

class RestApiTest : public testing::Test {
 protected:
  RestApiTest() { server.add_token("ann", {"*"}); }

  Answer get(const std::string& path) {
    return server.call({.path = path, .token = "ann"});
  }
  Answer post(const std::string& path, const std::string& body = {}) {
    return server.call({.method = "POST", .path = path, .token = "ann", .body = body});
  }
  Answer put(const std::string& path, const std::string& offset,
             const std::string& body) {
    return server.call({.method = "PUT",
                        .path = path,
                        .token = "ann",
                        .body = body,
                        .headers = {{"Upload-Offset", offset}}});
  }
  Answer bulk(const std::string& method, const std::string& body,
              std::vector<std::pair<std::string, std::string>> query = {},
              std::vector<std::pair<std::string, std::string>> headers = {
                  {"Content-Type", "text/csv"}}) {
    return server.call({.method = method,
                        .path = "/api/people/bulk/v2/",
                        .token = "ann",
                        .body = body,
                        .headers = std::move(headers),
                        .query = std::move(query)});
  }

  TestServer server;
};

TEST_F(RestApiTest, AJobInOneRequestIsAccepted) {
  const Answer answer = bulk("POST", "id,age\n1,41\n2,50\n");
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.member("message"), "Enhanced bulk create job started for 2 items");
  EXPECT_EQ(answer.member("task_id"), "job-1");
  EXPECT_THAT(answer.body, HasSubstr("\"total_items\":2"));
  EXPECT_EQ(answer.header("Location"), answer.member("status_url"));
  const Answer status = get(answer.member("status_url"));
  EXPECT_EQ(status.status, 200);
  EXPECT_EQ(status.member("state"), "Upload Complete");
  EXPECT_EQ(get("/api/people/jobs/" + answer.member("job_id")).body, status.body);
  EXPECT_EQ(get(answer.member("aggregates_url")).member("code"),
            "AGGREGATES_NOT_REQUESTED");
}

TEST_F(RestApiTest, EveryMethodIsAnOperation) {
  EXPECT_EQ(bulk("PATCH", "id,age\n1,2\n").member("message"),
            "Enhanced bulk update job started for 1 items");
  const Answer upsert = bulk("PATCH", "id,age\n1,2\n", {{"unique_fields", "id"}});
  EXPECT_EQ(upsert.member("message"), "Enhanced bulk upsert job started for 1 items");
  EXPECT_THAT(upsert.body, HasSubstr(R"("unique_fields":["id"],"update_fields":null)"));
  EXPECT_EQ(bulk("PUT", "id,age\n1,2\n").member("message"),
            "Enhanced bulk replace job started for 1 items");
  EXPECT_EQ(bulk("DELETE", "[1, 2]", {}, {{"Content-Type", "application/json"}})
                .member("message"),
            "Enhanced bulk delete job started for 2 items");
}

TEST_F(RestApiTest, AnEnvelopeMakesAnUpdateAnUpsert) {
  const Answer answer =
      bulk("PATCH", R"({"data": [{"id": 1, "age": 2}], "unique_fields": ["id"]})", {},
           {{"Content-Type", "application/json"}});
  EXPECT_EQ(answer.member("message"), "Enhanced bulk upsert job started for 1 items")
      << answer.body;
}

TEST_F(RestApiTest, WhatCannotBeStartedSaysWhy) {
  EXPECT_EQ(bulk("POST", "id\n1\n", {{"dryrun", "true"}}).status, 400);
  EXPECT_THAT(bulk("POST", "id\n1\n", {{"dryrun", "true"}}).body, HasSubstr("'dry_run'"));
  EXPECT_THAT(bulk("POST", "id\n1\n", {{"update_fields", "age"}}).body,
              HasSubstr("upsert"));
  EXPECT_EQ(bulk("POST", "<xml/>", {}, {{"Content-Type", "text/xml"}}).status, 415);
  const Answer unknown = bulk("POST", "id,agge\n1,2\n");
  EXPECT_EQ(unknown.status, 422);
  EXPECT_THAT(unknown.body, HasSubstr("agge"));
  EXPECT_THAT(unknown.body, HasSubstr("age"));
}

TEST_F(RestApiTest, AnIdempotencyKeyGivesTheSameJobAgain) {
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"Content-Type", "text/csv"}, {"Idempotency-Key", "monday"}};
  const Answer first = bulk("POST", "id,age\n1,41\n", {}, headers);
  const Answer again = bulk("POST", "id,age\n1,41\n", {}, headers);
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(again.body, first.body);
  const Answer other = bulk("POST", "id,age\n2,41\n", {}, headers);
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(other.member("code"), "IDEMPOTENCY_KEY_REUSED");
}

TEST_F(RestApiTest, AHeaderThatShouldBeThereOnceIsNotTakenTwice) {
  for (const char* name : {"content-type", "Content-Encoding", "Idempotency-Key",
                           "Upload-Offset", "Last-Event-ID"}) {
    const Answer answer = bulk("POST", "id,age\n1,41\n", {},
                               {{"Content-Type", "text/csv"}, {name, "x"}, {name, "x"}});
    EXPECT_EQ(answer.status, 400) << name;
    EXPECT_EQ(answer.member("code"), "INVALID_HEADER") << name;
  }
}

TEST_F(RestApiTest, AnIdempotencyKeyWhoseUploadWasRefusedStartsAnew) {
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"Content-Type", "text/csv"}, {"Idempotency-Key", "tuesday"}};
  EXPECT_EQ(bulk("POST", "id,agge\n1,41\n", {}, headers).status, 422);
  const Answer again = bulk("POST", "id,age\n1,41\n", {}, headers);
  EXPECT_EQ(again.status, 202) << again.body;
}

TEST_F(RestApiTest, WaitingEndsWithTheTimeThatWasPreferred) {
  const Answer answer = bulk("POST", "id,age\n1,41\n", {},
                             {{"Content-Type", "text/csv"}, {"Prefer", "wait=0"}});
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.header("Preference-Applied"), "");
}

TEST_F(RestApiTest, AJobInStepsGoesFromOpenToUploadComplete) {
  const std::string job = server.open_job("ann");
  EXPECT_EQ(server.call({.method = "HEAD", .path = job + "/data/", .token = "ann"})
                .header("Upload-Offset"),
            "0");
  const Answer first = put(job + "/data/", "0", "id,a");
  EXPECT_EQ(first.status, 204) << first.body;
  EXPECT_EQ(first.header("Upload-Offset"), "4");
  const Answer second = put(job + "/data", "4", "ge\n1,41\n");
  EXPECT_EQ(second.header("Upload-Offset"), "12");
  const Answer completed = post(job + "/complete/");
  EXPECT_EQ(completed.status, 202) << completed.body;
  EXPECT_EQ(completed.member("state"), "Upload Complete");
  EXPECT_THAT(completed.body, HasSubstr("\"total_items\":1"));
  EXPECT_THAT(get(job + "/history/").body, HasSubstr("\"event\":\"upload_completed\""));
}

TEST_F(RestApiTest, ACreatedJobSaysWhereItsDataGo) {
  const Answer created = post(
      "/api/people/jobs", R"({"operation":"upsert","content_type":"text/csv",)"
                          R"("unique_fields":["id"],"delimiter":";","dry_run":false})");
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.member("state"), "Open");
  EXPECT_EQ(created.member("upload_url"), created.header("Location") + "data/");
  EXPECT_EQ(put(created.member("upload_url"), "0", "id;age\n1;41\n").status, 204);
  const Answer completed = post(created.member("complete_url"));
  EXPECT_THAT(completed.body, HasSubstr(R"("unique_fields":["id"])"));
}

TEST_F(RestApiTest, AJobNeedsToBeSaidWhole) {
  const auto refusal = [&](const std::string& body) {
    const Answer answer = post("/api/people/jobs", body);
    EXPECT_EQ(answer.status, 400) << body;
    return answer.body;
  };
  EXPECT_THAT(refusal(R"({"content_type":"text/csv"})"), HasSubstr("'operation'"));
  EXPECT_THAT(refusal(R"({"operation":"merge","content_type":"text/csv"})"),
              HasSubstr("'operation'"));
  EXPECT_THAT(refusal(R"({"operation":"insert"})"), HasSubstr("'content_type'"));
  EXPECT_THAT(refusal(R"({"opperation":"insert","content_type":"text/csv"})"),
              HasSubstr("did you mean 'operation'?"));
  EXPECT_THAT(refusal("[]"), HasSubstr("one JSON object"));
}

TEST_F(RestApiTest, AWrongOffsetIsToldTheRightOne) {
  const std::string job = server.open_job("ann");
  put(job + "/data/", "0", "id,age\n");
  const Answer answer = put(job + "/data/", "3", "1,41\n");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.header("Upload-Offset"), "7");
  EXPECT_THAT(answer.body, HasSubstr("\"offset\":7"));
  for (const char* offset : {"", "x", "-1"}) {
    EXPECT_EQ(put(job + "/data/", offset, "1").status, 400) << offset;
  }
}

TEST_F(RestApiTest, AStateThatForbidsAnActionIsNamed) {
  const std::string job = server.open_job("ann");
  EXPECT_EQ(post(job + "/abort/").member("state"), "Aborted");
  for (const char* action : {"/abort/", "/complete/", "/retry/"}) {
    const Answer answer = post(job + action);
    EXPECT_EQ(answer.status, 409) << action;
    EXPECT_EQ(answer.member("code"), "INVALID_STATE");
    EXPECT_EQ(answer.member("state"), "Aborted");
  }
  EXPECT_EQ(put(job + "/data/", "0", "id\n").member("state"), "Aborted");
  const Answer aggregates = post("/api/people/bulk/v2/aggregates/",
                                 R"({"job_id":")" + job.substr(job.rfind('/') + 1) +
                                     R"(","aggregates":{"n":{"type":"count"}}})");
  EXPECT_EQ(aggregates.status, 409);
  EXPECT_EQ(aggregates.member("state"), "Aborted");
}

TEST_F(RestApiTest, OnlyAJobThatHasEndedIsDeleted) {
  const std::string job = server.open_job("ann");
  const Sent remove{.method = "DELETE", .path = job, .token = "ann"};
  EXPECT_EQ(server.call(remove).status, 409);
  post(job + "/abort/");
  EXPECT_EQ(server.call(remove).status, 204);
  EXPECT_EQ(server.call(remove).status, 404);
  EXPECT_EQ(get(job + "/status/").status, 404);
}

TEST_F(RestApiTest, ListsGoOnPageByPageWithTheirFilters) {
  std::vector<std::string> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(server.open_job("ann"));
  post(jobs[2] + "/abort/");
  std::string path = "/api/people/jobs/";
  std::vector<std::pair<std::string, std::string>> query = {{"state", "Open"},
                                                            {"limit", "2"}};
  std::vector<std::string> seen;
  while (!path.empty()) {
    const Answer page = server.call({.path = path, .token = "ann", .query = query});
    ASSERT_EQ(page.status, 200) << page.body;
    for (std::size_t at = 0;
         (at = page.body.find("\"job_id\":\"", at)) != std::string::npos;) {
      at += 10;
      seen.push_back("/api/people/jobs/" + page.body.substr(at, 36));
    }
    const std::string next = page.member("next");
    path = next.substr(0, next.find('?'));
    const std::size_t cursor = next.find("cursor=");
    if (cursor == std::string::npos) break;
    EXPECT_THAT(next, HasSubstr("?state=Open&limit=2&cursor="));
    query = {{"state", "Open"}, {"limit", "2"}, {"cursor", next.substr(cursor + 7)}};
  }
  EXPECT_EQ(seen, (std::vector<std::string>{jobs[4], jobs[3], jobs[1], jobs[0]}));
}

TEST_F(RestApiTest, EventsBeginWithWhatHasHappened) {
  const std::string job = server.open_job("ann");
  const Answer open = get(job + "/events/");
  EXPECT_EQ(open.header("Content-Type"), "text/event-stream");
  EXPECT_THAT(open.body, HasSubstr("id: 1.0.0\nevent: state\ndata: {"));
  EXPECT_THAT(open.body, Not(HasSubstr("Aborted")));
  post(job + "/abort/");
  const Answer resumed = server.call({.path = job + "/events/",
                                      .token = "ann",
                                      .headers = {{"Last-Event-ID", "1.0.0"}}});
  EXPECT_THAT(resumed.body, HasSubstr("id: 2.0.0\nevent: state\n"));
  EXPECT_THAT(resumed.body, HasSubstr("\"state\":\"Aborted\""));
  EXPECT_THAT(resumed.body, Not(HasSubstr("\"state\":\"Open\"")));
  EXPECT_EQ(server
                .call({.path = job + "/events/",
                       .token = "ann",
                       .headers = {{"Last-Event-ID", "2.0.0"}}})
                .status,
            204);
}

TEST_F(RestApiTest, ResultsComeInTheFormThatIsAskedFor) {
  const Answer started = bulk("POST", "id,age\n1,41\n");
  const std::string results =
      "/api/people/jobs/" + started.member("job_id") + "/results/";
  const Answer csv = get(results);
  EXPECT_EQ(csv.status, 200) << csv.body;
  EXPECT_EQ(csv.header("Content-Type"), "text/csv; charset=utf-8; header=present");
  EXPECT_THAT(csv.header("Content-Disposition"), HasSubstr("filename=\"people-"));
  EXPECT_THAT(csv.body,
              testing::StartsWith("_record,_outcome,_id,_error_code,_error_field,"));
  const Answer json = server.call(
      {.path = results, .token = "ann", .headers = {{"Accept", "application/json"}}});
  EXPECT_EQ(json.header("Content-Type"), "application/json");
  const Answer other = server.call(
      {.path = results, .token = "ann", .headers = {{"Accept", "image/png"}}});
  EXPECT_EQ(other.status, 406);
  EXPECT_EQ(other.member("code"), "NOT_ACCEPTABLE");
}

TEST_F(RestApiTest, ResourcesAreDescribed) {
  EXPECT_THAT(get("/api/").body, HasSubstr("\"name\":\"people\""));
  const Answer schema = get("/api/people/schema/");
  EXPECT_THAT(schema.body, HasSubstr("\"name\":\"age\",\"type\":\"integer\""));
  EXPECT_THAT(schema.body, HasSubstr("\"primary\":true,\"fields\":[\"id\"]"));
  EXPECT_THAT(schema.body, HasSubstr("\"count_distinct\""));
  EXPECT_EQ(get("/api/people/template.csv").body, "id,age\n");
}

TEST_F(RestApiTest, ParametersThatMeanNothingAreRefused) {
  const std::string job = server.open_job("ann");
  for (const std::string& path :
       {std::string("/api/"), std::string("/api/people/schema/"), job + "/status/",
        job + "/history/", job + "/events/", job + "/aggregates/", job + "/results/"}) {
    const Answer answer =
        server.call({.path = path, .token = "ann", .query = {{"x", "1"}}});
    EXPECT_EQ(answer.status, 400) << path << answer.body;
    EXPECT_EQ(answer.member("code"), "UNKNOWN_OPTION");
  }
}

}  // namespace
}  // namespace tallyman::rest
