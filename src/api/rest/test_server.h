// TestServer: the REST face over a real SQLite database, called without a network.
//
//   TestServer server;
//   server.add_token("ann", {"people:*"});
//   const Answer answer = server.call({.method = "GET", .path = "/api/", .token =
//   "ann"});
//
// No worker runs: a job stays where its client has brought it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/rest/rest_api.h"
#include "db/test_database.h"
#include "payload/disk_payload.h"
#include "service/job_service.h"
#include "store/sqlite_aggregate_store.h"
#include "store/sqlite_job_store.h"
#include "store/sqlite_ledger.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_token_store.h"
#include "target/sqlite_target.h"

namespace tallyman::rest {

class StringBody final : public http::BodyStream {
 public:
  explicit StringBody(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t length = text_.copy(into.data(), into.size(), at_);
    at_ += length;
    return length;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

class StringSink final : public http::BodySink {
 public:
  Result<void> write(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  Result<void> flush() override { return {}; }
  bool stopping() const override { return !text.empty(); }

  std::string text;
};

struct Sent {
  std::string method = "GET";
  std::string path;
  std::string token = {};  // Its name; empty: none is sent.
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::vector<std::pair<std::string, std::string>> query = {};
};

struct Answer {
  int status = 0;
  std::string body;
  http::Headers headers;

  std::string header(std::string_view name) const {
    return std::string(headers.find(name).value_or(""));
  }
  // The text between `"name":"` and the next quote.
  std::string member(const std::string& name) const {
    const std::string start = "\"" + name + "\":\"";
    const std::size_t at = body.find(start);
    if (at == std::string::npos) return {};
    return body.substr(at + start.size(),
                       body.find('"', at + start.size()) - at - start.size());
  }
};

class TestServer {
 public:
  // `clock`: for rates alone; null: the system's.
  explicit TestServer(RateLimits rates = {}, Clock* clock = nullptr) {
    auto transaction = database_->begin_write(std::chrono::seconds(1));
    for (const char* table : {"create table people (id integer primary key, age integer)",
                              "create table pets (id integer primary key, name text)"}) {
      EXPECT_TRUE(db::sqlite(*transaction.value()).exec(table).ok());
    }
    EXPECT_TRUE(transaction.value()->commit().ok());
    EXPECT_TRUE(prepare_sqlite_schema(*database_).ok());
    payloads_ = DiskPayloadStore::open(folder_.file("payloads")).value();
    service_ = std::make_unique<JobService>(JobService::Parts{.catalog = catalog_,
                                                              .target = target_,
                                                              .jobs = jobs_,
                                                              .ledger = ledger_,
                                                              .aggregates = aggregates_,
                                                              .payloads = *payloads_,
                                                              .clock = clock_,
                                                              .random = random_},
                                            ServiceSettings());
    api_ = std::make_unique<RestApi>(
        RestParts{.service = *service_,
                  .tokens = tokens_,
                  .clock = clock ? *clock : clock_,
                  .database_answers = [this] { return database_state; },
                  .rates = rates});
  }

  // A token of that name and owner.
  void add_token(const std::string& name, std::vector<std::string> scopes,
                 const std::string& owner = {},
                 std::optional<Timestamp> expires_at = {}) {
    auto secret = tokens_.create({.name = name,
                                  .owner = owner.empty() ? name : owner,
                                  .scopes = std::move(scopes),
                                  .created_at = clock_.now(),
                                  .expires_at = expires_at});
    ASSERT_TRUE(secret.ok()) << secret.error().message;
    secrets_[name] = std::move(secret).value();
  }

  Answer call(const Sent& sent) {
    http::Request request;
    request.method = sent.method;
    request.path = sent.path;
    request.query = sent.query;
    for (const auto& [name, value] : sent.headers) request.headers.add(name, value);
    if (!sent.token.empty()) {
      const auto secret = secrets_.find(sent.token);
      request.headers.add(
          "Authorization",
          "Bearer " + (secret == secrets_.end() ? sent.token : secret->second));
    }
    if (sent.method != "GET" && sent.method != "HEAD") {
      request.content_length = sent.body.size();
    }
    request.body = std::make_unique<StringBody>(sent.body);
    const http::Response response = api_->handle(request);
    Answer answer{response.status, response.body, response.headers};
    if (response.stream) {
      StringSink sink;
      EXPECT_TRUE(response.stream(sink).ok());
      answer.body = sink.text;
    }
    return answer;
  }

  // A job of people.csv that still takes data; its path.
  std::string open_job(const std::string& token) {
    const Answer created =
        call({.method = "POST",
              .path = "/api/people/jobs/",
              .token = token,
              .body = R"({"operation":"insert","content_type":"text/csv"})"});
    EXPECT_EQ(created.status, 201) << created.body;
    return "/api/people/jobs/" + created.member("job_id");
  }

  TokenStore& tokens() { return tokens_; }
  Clock& clock() { return clock_; }

  Result<void> database_state;

 private:
  SystemClock clock_;
  SystemRandom random_;
  db::TemporaryFolder folder_;
  db::TemporaryDatabase database_;
  std::unique_ptr<DiskPayloadStore> payloads_;
  SqliteJobStore jobs_{*database_, clock_, random_};
  SqliteLedger ledger_{*database_};
  SqliteAggregateStore aggregates_{*database_};
  SqliteTokenStore tokens_{*database_, clock_, random_};
  SqliteTarget target_{*database_};
  ResourceCatalog catalog_{
      target_,
      {{.name = "people", .table = "people"}, {.name = "pets", .table = "pets"}}};
  std::unique_ptr<JobService> service_;
  std::unique_ptr<RestApi> api_;
  std::map<std::string, std::string> secrets_;
};

}  // namespace tallyman::rest
