#include "client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/test_server.h"

namespace tallyman::client {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kId = "01890a5d-ac96-774b-bcce-b302099a8057";
const JobReference kJob{"people", JobId(*Uuid::parse(kId))};

std::string status_json(std::string_view state) {
  return R"({"job_id":")" + std::string(kId) + R"(","job_type":"insert","state":")" +
         std::string(state) +
         R"(","total_items":2,"processed_items":2,"success_count":1,"error_count":1,)" +
         R"("created_count":1,"percentage":100.0,"verified":true,)" +
         R"("error_summary":{"INVALID_TYPE":1},"errors":[{"record":2,"code":"INVALID_TYPE",)" +
         R"("field":"age","message":"must be an integer"}],"estimated_remaining":null,)" +
         R"("results_url":"/api/people/jobs/x/results/","message":"done"})";
}

http::Response refusal(int status, std::string_view code, std::string_view text) {
  return http::Response::json(status, R"({"error":")" + std::string(text) +
                                          R"(","code":")" + std::string(code) + R"("})");
}

class ClientTest : public testing::Test {
 protected:
  std::unique_ptr<Client> connect(const std::string& url) {
    RetryPolicy retry;
    retry.attempts_max = 4;
    retry.sleep = [this](milliseconds time) {
      slept_.push_back(time);
      if (on_sleep_) on_sleep_();
    };
    auto client = Client::make({.url = url, .token = "secret", .retry = retry});
    EXPECT_TRUE(client.ok());
    return std::move(client).value();
  }

  std::vector<milliseconds> slept_;
  std::function<void()> on_sleep_;
};

TEST_F(ClientTest, AsksWithItsToken) {
  TestServer server([](auto&, auto&) { return http::Response::json(200, "[]"); });
  ASSERT_TRUE(connect(server.url())->resources().ok());
  EXPECT_EQ(server.seen().at(0).line, "GET /api/");
  EXPECT_EQ(server.seen().at(0).headers.find("Authorization"), "Bearer secret");
}

TEST_F(ClientTest, ReadsAStatus) {
  TestServer server([](auto&, auto&) {
    return http::Response::json(200, status_json("Job Complete"));
  });
  const auto status = connect(server.url())->status(kJob);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(server.lines(), std::vector<std::string>{"GET /api/people/jobs/" +
                                                     std::string(kId) + "/status/"});
  EXPECT_EQ(status.value().state, JobState::kJobComplete);
  EXPECT_EQ(status.value().total_items, 2U);
  EXPECT_EQ(status.value().failed, 1U);
  EXPECT_EQ(status.value().resource, "people");
  ASSERT_EQ(status.value().errors.size(), 1U);
  EXPECT_EQ(status.value().errors[0].field, "age");
  EXPECT_FALSE(status.value().estimated_remaining);
}

TEST_F(ClientTest, GivesTheServersOwnSentence) {
  TestServer server(
      [](auto&, auto&) { return refusal(404, "NOT_FOUND", "there is no such job"); });
  const auto status = connect(server.url())->status(kJob);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(status.error().message, "there is no such job");
  EXPECT_EQ(status.error().detail_code, "NOT_FOUND");
}

TEST_F(ClientTest, NamesTheCallWhereAStrangerAnswers) {
  TestServer server([](auto&, auto&) { return http::Response::text(500, "<html>oops"); });
  const auto status = connect(server.url())->schema("people");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message,
            "GET /api/people/schema/ was answered with status 500");
}

TEST_F(ClientTest, SaysWhereNobodyAnswersWithoutWaiting) {
  std::string url;
  {
    const TestServer gone([](auto&, auto&) { return http::Response::empty(200); });
    url = gone.url();
  }
  const auto health = connect(url)->health();
  ASSERT_FALSE(health.ok());
  EXPECT_EQ(health.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(health.error().message, HasSubstr("no tallyman server answers at " + url));
  EXPECT_TRUE(slept_.empty());
}

TEST_F(ClientTest, RefusesAnAddressThatIsNone) {
  const auto client = Client::make({.url = "localhost:8080"});
  ASSERT_FALSE(client.ok());
  EXPECT_THAT(client.error().message, HasSubstr("must begin with http://"));
}

TEST_F(ClientTest, WaitsAsLongAsTheServerAsks) {
  int calls = 0;
  TestServer server([&](auto&, auto&) {
    if (++calls < 3) {
      auto response = refusal(calls == 1 ? 503 : 429, "UNAVAILABLE", "later");
      response.headers.add("Retry-After", "7");
      return response;
    }
    return http::Response::json(200, "[]");
  });
  EXPECT_TRUE(connect(server.url())->resources().ok());
  EXPECT_THAT(slept_, ElementsAre(milliseconds(7'000), milliseconds(7'000)));
}

TEST_F(ClientTest, GivesUpAfterItsAttempts) {
  TestServer server(
      [](auto&, auto&) { return refusal(503, "UNAVAILABLE", "the disk is away"); });
  const auto answer = connect(server.url())->resources();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().message, "the disk is away");
  EXPECT_THAT(slept_,
              ElementsAre(milliseconds(250), milliseconds(500), milliseconds(1'000)));
}

TEST_F(ClientTest, AsksAgainOverALostConnection) {
  int calls = 0;
  TestServer server([&](auto&, auto&) {
    ++calls;
    if (calls == 2) return TestServer::broken_answer("[");
    return http::Response::json(200, "[]");
  });
  const auto client = connect(server.url());
  EXPECT_TRUE(client->resources().ok());
  EXPECT_TRUE(client->resources().ok());
  EXPECT_EQ(calls, 3);
}

TEST_F(ClientTest, WaitsForAServerThatIsBeingRestarted) {
  TestServer server([](auto&, auto&) { return http::Response::json(200, "[]"); });
  const auto client = connect(server.url());
  ASSERT_TRUE(client->resources().ok());
  server.stop();
  on_sleep_ = [&] {
    if (slept_.size() == 2) server.start_again();
  };
  EXPECT_TRUE(client->resources().ok());
  EXPECT_EQ(slept_.size(), 2U);
}

TEST_F(ClientTest, DoesNotStartASecondRetryWhenTheFirstAnswerIsLost) {
  int retries = 0;
  TestServer server([&](http::Request& request, auto&) {
    if (request.method == "GET") return http::Response::json(200, "[]");
    ++retries;
    return TestServer::broken_answer();
  });
  const auto client = connect(server.url());
  ASSERT_TRUE(client->resources().ok());
  const auto child = client->retry(kJob);
  ASSERT_FALSE(child.ok());
  EXPECT_THAT(child.error().message, HasSubstr("was lost"));
  EXPECT_EQ(retries, 1);
}

TEST_F(ClientTest, TakesACompletionWhoseAnswerWasLostAsDone) {
  int completions = 0;
  TestServer server([&](http::Request& request, auto&) {
    if (request.method == "GET") {
      return http::Response::json(200, status_json("Upload Complete"));
    }
    if (++completions == 1) return TestServer::broken_answer();
    return refusal(409, "INVALID_STATE", "already complete");
  });
  const auto client = connect(server.url());
  ASSERT_TRUE(client->status(kJob).ok());
  EXPECT_TRUE(client->complete(kJob).ok());
  EXPECT_EQ(completions, 2);
}

TEST_F(ClientTest, ReportsACompletionThatIsRefusedAtOnce) {
  TestServer server(
      [](auto&, auto&) { return refusal(409, "INVALID_STATE", "the job is Aborted"); });
  const auto done = connect(server.url())->complete(kJob);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().detail_code, "INVALID_STATE");
}

TEST_F(ClientTest, FollowsAJobToItsEnd) {
  int looks = 0;
  TestServer server([&](auto&, auto&) {
    return http::Response::json(200, status_json(++looks < 3 ? "In Progress" : "Failed"));
  });
  int seen = 0;
  const auto status =
      connect(server.url())->wait(kJob, [&](const JobStatus&) { ++seen; });
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status.value().state, JobState::kFailed);
  EXPECT_EQ(seen, 3);
}

TEST_F(ClientTest, FindsAJobByTheTimeInItsId) {
  TestServer server([&](http::Request& request, auto&) {
    std::string other = status_json("Failed");
    if (!request.parameter("cursor")) {
      other.replace(other.find(kId), kId.size(), "01890a5d-ac97-7000-8000-000000000000");
      return http::Response::json(
          200, R"({"results":[)" + other + R"(],"next":"/api/jobs/?cursor=j1"})");
    }
    return http::Response::json(
        200, R"({"results":[)" + status_json("Failed") + R"(],"next":null})");
  });
  const auto job = connect(server.url())->find_job(kJob.id);
  ASSERT_TRUE(job.ok()) << job.error().message;
  EXPECT_EQ(job.value().resource, "people");
  ASSERT_EQ(server.seen().size(), 2U);
  // The id was made at 2023-06-30T03:34:18.518Z.
  EXPECT_EQ(
      server.seen()[0].query,
      "created_after=2023-06-30T03:32:18.518000Z&created_before=2023-06-30T03:36:18."
      "518000Z&limit=1000");
}

TEST_F(ClientTest, SendsAJobInOneRequest) {
  TestServer server([](auto&, auto&) {
    return http::Response::json(202, R"({"message":"started","job_id":")" +
                                         std::string(kId) + R"(","total_items":1})");
  });
  JobOptions options;
  options.unique_fields = {"email"};
  options.atomic = true;
  const auto source = make_upload_bytes("id,email\n1,x\n");
  const auto job =
      connect(server.url())
          ->start_job("people", Operation::kUpsert, options, *source,
                      {.idempotency_key = "k1", .wait = std::chrono::seconds(3)});
  ASSERT_TRUE(job.ok()) << job.error().message;
  EXPECT_EQ(job.value().total_items, 1U);
  const SeenRequest seen = server.seen().at(0);
  EXPECT_EQ(seen.line, "PATCH /api/people/bulk/v2/");
  EXPECT_EQ(seen.query, "unique_fields=email&mode=atomic");
  EXPECT_EQ(seen.body, "id,email\n1,x\n");
  EXPECT_EQ(seen.headers.find("Idempotency-Key"), "k1");
  EXPECT_EQ(seen.headers.find("Prefer"), "wait=3");
  EXPECT_EQ(seen.headers.find("Content-Type"), "text/csv");
}

TEST_F(ClientTest, SendsAOneRequestJobAgainOnlyUnderAnIdempotencyKey) {
  int calls = 0;
  TestServer server([&](http::Request& request, auto&) {
    if (request.method == "GET") return http::Response::json(200, "[]");
    if (++calls % 2 == 1) return TestServer::broken_answer();
    return http::Response::json(202, R"({"job_id":")" + std::string(kId) + R"("})");
  });
  const auto client = connect(server.url());
  ASSERT_TRUE(client->resources().ok());
  const auto source = make_upload_bytes("id\n1\n");
  EXPECT_FALSE(client->start_job("people", Operation::kInsert, {}, *source).ok());
  EXPECT_EQ(calls, 1);
  calls = 0;
  EXPECT_TRUE(client
                  ->start_job("people", Operation::kInsert, {}, *source,
                              {.idempotency_key = "k", .wait = std::nullopt})
                  .ok());
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(server.seen().back().body, "id\n1\n");
}

TEST_F(ClientTest, KeepsTheDigitsOfAggregates) {
  int asked = 0;
  TestServer server([&](auto&, auto&) {
    if (++asked == 1) {
      return http::Response::json(202, R"({"message":"computing","job_id":"x"})");
    }
    return http::Response::json(
        200,
        R"({"job_id":"x","aggregate_results":{"sum":12345678901234567890.123,)"
        R"("by":{"a":1},"list":[1,2],"least":"x y"},"aggregate_errors":{"bad":"no"},)"
        R"("as_of":"2024-01-15T10:30:00Z","changed_since":true})");
  });
  const auto answer =
      connect(server.url())->wait_for_aggregates(kJob, R"({"sum":{"type":"sum"}})");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(
      answer.value().results,
      ElementsAre(Pair{"sum", "12345678901234567890.123"}, Pair{"by", R"({"a":1})"},
                  Pair{"list", "[1,2]"}, Pair{"least", R"("x y")"}));
  EXPECT_THAT(answer.value().errors, ElementsAre(Pair{"bad", "no"}));
  EXPECT_TRUE(answer.value().changed_since);
  EXPECT_EQ(server.seen().at(1).body, R"({"job_id":")" + std::string(kId) +
                                          R"(","aggregates":{"sum":{"type":"sum"}}})");
}

class ResultsFileTest : public ClientTest {
 protected:
  void SetUp() override {
    char path[] = "/tmp/tallyman_results_XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    folder_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string read(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string folder_;
};

TEST_F(ResultsFileTest, StartsOverWhenTheConnectionBreaksHalfWay) {
  int calls = 0;
  TestServer server([&](auto&, auto&) {
    if (++calls == 1) return TestServer::broken_answer("_record,_outc");
    return http::Response::text(200, "_record,_outcome\n1,created\n");
  });
  const std::string path = folder_ + "/out.csv";
  const auto done =
      connect(server.url())->results_to_file(kJob, {.outcome = "failed"}, path);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(read(path), "_record,_outcome\n1,created\n");
  EXPECT_EQ(server.seen().at(0).query, "format=csv&outcome=failed");
}

TEST_F(ResultsFileTest, LeavesNoFileBehindWhenRefused) {
  TestServer server(
      [](auto&, auto&) { return refusal(410, "RESULTS_EXPIRED", "kept for 7 days"); });
  const std::string path = folder_ + "/out.csv";
  const auto done = connect(server.url())->results_to_file(kJob, {}, path);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kGone);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(ResultsFileTest, NamesAFileThatCannotBeWritten) {
  TestServer server([](auto&, auto&) { return http::Response::text(200, "x"); });
  const auto done =
      connect(server.url())->results_to_file(kJob, {}, folder_ + "/no/such/folder.csv");
  ASSERT_FALSE(done.ok());
  EXPECT_THAT(done.error().message, HasSubstr("cannot open " + folder_));
}

}  // namespace
}  // namespace tallyman::client
