// Who may call what: every route of the table, for everybody who may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/rest/routes.h"
#include "api/rest/test_server.h"

namespace tallyman::rest {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kNobodysJob = "0190a0b0-0000-7000-8000-000000000000";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

bool has(const Route& route, std::string_view part) {
  return route.pattern.find(part) != std::string_view::npos;
}

// A request that only access stands in the way of.
Sent request_of(const Route& route, std::string_view resource, std::string_view job,
                const std::string& token) {
  Sent sent{.method = std::string(route.method), .token = token};
  sent.path = replaced(replaced(std::string(route.pattern), "{resource}", resource),
                       "{job}", job);
  if (route.pattern.ends_with("/aggregates") && route.method == "POST") {
    sent.body =
        R"({"job_id":")" + std::string(job) + R"(","aggregates":{"n":{"type":"count"}}})";
  } else if (route.pattern.ends_with("/jobs") && route.method == "POST") {
    sent.body = R"({"operation":"insert","content_type":"text/csv"})";
  } else if (has(route, "/bulk/v2")) {
    sent.headers = {{"Content-Type", "text/csv"}};
    sent.body = "id,age\n1,41\n";
  } else if (route.pattern.ends_with("/data") && route.method == "PUT") {
    sent.headers = {{"Upload-Offset", "0"}};
    sent.body = "id,age\n";
  }
  return sent;
}

// The answer to the same request with the job's id taken out, to be compared.
std::string shown(const Answer& answer, std::string_view job) {
  std::string all =
      std::to_string(answer.status) + " " + replaced(answer.body, job, "JOB");
  for (const auto& [name, value] : answer.headers.all()) {
    all += "\n" + name + ": " + replaced(value, job, "JOB");
  }
  return all;
}

bool takes_a_job(const Route& route) {
  return has(route, "{job}") || (has(route, "/aggregates") && route.method == "POST");
}

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    server.add_token("ann", {"people:*"});
    const std::string path = server.open_job("ann");
    job = path.substr(path.rfind('/') + 1);
  }

  TestServer server;
  std::string job;
};

TEST_F(AccessTest, NobodyIsToldAnythingWithoutAGoodToken) {
  server.add_token("late", {"*", "admin"}, "ann",
                   server.clock().now() - std::chrono::hours(1));
  server.add_token("gone", {"*", "admin"}, "ann");
  ASSERT_TRUE(server.tokens().revoke("gone").ok());
  for (const Route& route : routes()) {
    if (route.access == Access::kPublic) continue;
    for (const char* token : {"", "tly_unknown", "late", "gone"}) {
      const std::string there =
          shown(server.call(request_of(route, "people", job, token)), job);
      const std::string not_there = shown(
          server.call(request_of(route, "people", kNobodysJob, token)), kNobodysJob);
      EXPECT_THAT(there, HasSubstr("401 "))
          << route.pattern << " token '" << token << "'";
      EXPECT_THAT(there, HasSubstr("WWW-Authenticate: Bearer"));
      EXPECT_EQ(there, not_there);
    }
  }
}

TEST_F(AccessTest, AJobOfAnotherOwnerLooksLikeNone) {
  server.add_token("bob", {"*"});
  for (const Route& route : routes()) {
    if (!takes_a_job(route)) continue;
    const Answer theirs = server.call(request_of(route, "people", job, "bob"));
    const Answer nobodys = server.call(request_of(route, "people", kNobodysJob, "bob"));
    EXPECT_EQ(theirs.status, 404) << route.method << " " << route.pattern << theirs.body;
    EXPECT_EQ(shown(theirs, job), shown(nobodys, kNobodysJob));
  }
}

TEST_F(AccessTest, AJobIsNotFoundUnderAnotherResource) {
  server.add_token("all", {"*"}, "ann");
  for (const Route& route : routes()) {
    if (!takes_a_job(route)) continue;
    const Answer answer = server.call(request_of(route, "pets", job, "all"));
    EXPECT_EQ(answer.status, 404) << route.method << " " << route.pattern << answer.body;
  }
}

TEST_F(AccessTest, WhatIsNoIdLooksLikeNoJob) {
  for (const Route& route : routes()) {
    if (!takes_a_job(route)) continue;
    const Answer answer = server.call(request_of(route, "people", "17", "ann"));
    const Answer nobodys = server.call(request_of(route, "people", kNobodysJob, "ann"));
    EXPECT_EQ(answer.status, 404) << route.method << " " << route.pattern << answer.body;
    EXPECT_EQ(shown(answer, "17"), shown(nobodys, kNobodysJob));
  }
}

TEST_F(AccessTest, ALowerScopeIsForbiddenAndNamed) {
  server.add_token("reader", {"people:read"}, "ann");
  server.add_token("writer", {"people:insert"}, "ann");
  for (const Route& route : routes()) {
    if (route.access != Access::kRead && route.access != Access::kOperation) continue;
    // A writer may insert, so what it is refused are the other operations.
    const bool is_insert = route.access == Access::kOperation && route.method == "POST";
    const char* lower = route.access == Access::kRead ? "writer" : "reader";
    const Answer answer = server.call(request_of(route, "people", job, lower));
    EXPECT_EQ(answer.status, 403) << route.method << " " << route.pattern << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("'people:"));
    if (has(route, "/bulk/v2") && route.access == Access::kOperation && !is_insert) {
      EXPECT_EQ(server.call(request_of(route, "people", job, "writer")).status, 403)
          << route.method << " " << route.pattern;
    }
  }
}

TEST_F(AccessTest, AResourceWithoutAnyScopeLooksLikeNone) {
  server.add_token("vet", {"pets:*"}, "ann");
  for (const Route& route : routes()) {
    if (!has(route, "{resource}")) continue;
    const Answer hidden = server.call(request_of(route, "people", job, "vet"));
    const Answer missing = server.call(request_of(route, "houses", job, "vet"));
    EXPECT_EQ(hidden.status, 404) << route.method << " " << route.pattern;
    EXPECT_EQ(replaced(hidden.body, "people", "R"),
              replaced(missing.body, "houses", "R"));
    EXPECT_THAT(hidden.body, HasSubstr("pets"));
  }
}

TEST_F(AccessTest, TheNearestResourceIsNamed) {
  const Answer answer = server.call({.path = "/api/peple/jobs/", .token = "ann"});
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("did you mean 'people'?"));
  EXPECT_THAT(answer.body, Not(HasSubstr("pets")));
}

TEST_F(AccessTest, ListsHoldOnlyWhatTheTokenMaySee) {
  server.add_token("bob", {"*"});
  server.add_token("blind", {"people:insert", "pets:read"}, "ann");
  server.add_token("root", {"admin"});
  const auto list_of = [&](const std::string& token) {
    return server.call({.path = "/api/jobs/", .token = token}).body;
  };
  EXPECT_THAT(list_of("ann"), HasSubstr(job));
  EXPECT_THAT(list_of("bob"), Not(HasSubstr(job)));
  EXPECT_THAT(list_of("blind"), Not(HasSubstr(job)));
  EXPECT_THAT(list_of("root"), HasSubstr(job));
  EXPECT_THAT(server.call({.path = "/api/", .token = "ann"}).body,
              Not(HasSubstr("pets")));
}

TEST_F(AccessTest, HealthIsPublic) {
  EXPECT_EQ(server.call({.path = "/healthz"}).status, 200);
  EXPECT_EQ(server.call({.path = "/readyz"}).status, 200);
  server.database_state = Error{ErrorCode::kUnavailable, "the database does not answer"};
  EXPECT_EQ(server.call({.path = "/healthz"}).status, 200);
  const Answer away = server.call({.path = "/readyz/"});
  EXPECT_EQ(away.status, 503);
  EXPECT_NE(away.header("Retry-After"), "");
}

TEST_F(AccessTest, UnknownPathsAndMethodsComeAfterTheToken) {
  EXPECT_EQ(server.call({.path = "/api/people/nothing/"}).status, 401);
  EXPECT_EQ(server.call({.path = "/api/people/nothing/", .token = "ann"}).status, 404);
  const Sent post{.method = "POST", .path = "/api/people/schema/", .token = "ann"};
  EXPECT_EQ(server.call(post).status, 405);
  EXPECT_EQ(server.call(post).header("Allow"), "GET, HEAD");
}

TEST_F(AccessTest, TheLogNamesRouteAndTokenAndNoValueOfTheQuery) {
  testing::internal::CaptureStderr();
  server.call(
      {.path = "/api/people/jobs/", .token = "ann", .query = {{"state", "canary-7261"}}});
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("route=/api/{resource}/jobs status=400"));
  EXPECT_THAT(log, HasSubstr("token=ann"));
  EXPECT_THAT(log, Not(HasSubstr("canary-7261")));
}

}  // namespace
}  // namespace tallyman::rest
