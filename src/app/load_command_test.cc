#include "app/load_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/test_server.h"

namespace tallyman {
namespace {

using client::TestServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const JobId kId(*Uuid::parse("01890a5d-ac96-774b-bcce-b302099a8057"));
const std::string kJobPath = "/api/people/jobs/" + kId.to_string() + "/";

TEST(FileKindTest, GoesByTheEnding) {
  EXPECT_EQ(kind_of_file("a/people.CSV").type, ContentType::kCsv);
  EXPECT_EQ(kind_of_file("people.ndjson").type, ContentType::kNdjson);
  EXPECT_EQ(kind_of_file("people.jsonl").type, ContentType::kNdjson);
  EXPECT_EQ(kind_of_file("people.json").type, ContentType::kJson);
  EXPECT_FALSE(kind_of_file("people.txt").type);
  EXPECT_FALSE(kind_of_file("-").type);
  EXPECT_TRUE(kind_of_file("people.csv.gz").gzip);
  EXPECT_EQ(kind_of_file("people.csv.gz").type, ContentType::kCsv);
  EXPECT_FALSE(kind_of_file("people.csv").gzip);
}

// A server that takes one job and its upload.
class LoadCommandTest : public testing::Test {
 protected:
  LoadCommandTest()
      : server_([this](http::Request& request, const std::string& body) {
          return answer(request, body);
        }) {}

  void SetUp() override {
    char path[] = "/tmp/tallyman_load_XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    folder_ = path;
    write("id,name\n1,Ann\n2,Bob\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& bytes) {
    std::ofstream(folder_ + "/people.csv", std::ios::binary) << bytes;
  }

  int load(bool wait = false) {
    LoadCommand command;
    command.server.url = server_.url();
    command.file = folder_ + "/people.csv";
    command.resource = "people";
    command.wait = wait;
    command.resume = resume_;
    UploadMemory memory(folder_ + "/state");
    const SystemClock clock;
    Console console{out_, err_, false, clock};
    return run_load(command, memory, console);
  }

  http::Response answer(http::Request& request, const std::string& body) {
    if (request.method == "POST" && request.path == "/api/people/jobs/") {
      ++created_;
      stored_.clear();
      state_ = "Open";
      return http::Response::json(201, R"({"job_id":")" + kId.to_string() + R"("})");
    }
    if (request.path == kJobPath + "data/") {
      if (request.method == "PUT") {
        if (refusal_) return *refusal_;
        stored_ += body;
      }
      auto response = http::Response::empty(204);
      response.headers.add("Upload-Offset", std::to_string(stored_.size()));
      return response;
    }
    if (request.path == kJobPath + "complete/") {
      state_ = end_state_;
      return http::Response::json(202, R"({"job_id":")" + kId.to_string() + R"("})");
    }
    if (request.path == kJobPath + "abort/") {
      state_ = "Aborted";
      return http::Response::json(200, "{}");
    }
    return http::Response::json(
        200, R"({"job_id":")" + kId.to_string() + R"(","job_type":"insert","state":")" +
                 state_ + R"(","total_items":2,"created_count":1,"error_count":)" +
                 std::to_string(failed_) + R"(,"verified":true})");
  }

  std::string folder_;
  std::optional<JobId> resume_;
  int created_ = 0;
  int failed_ = 0;
  std::string state_ = "Open";
  std::string end_state_ = "Job Complete";
  std::string stored_;
  std::optional<http::Response> refusal_;
  std::ostringstream out_;
  std::ostringstream err_;
  TestServer server_;
};

TEST_F(LoadCommandTest, SendsAFileAndPrintsTheJob) {
  EXPECT_EQ(load(), 0) << err_.str();
  EXPECT_EQ(stored_, "id,name\n1,Ann\n2,Bob\n");
  EXPECT_EQ(out_.str(), kId.to_string() + "\n");
  EXPECT_EQ(server_.lines().back(), "POST " + kJobPath + "complete/");
}

TEST_F(LoadCommandTest, EndsAsTheJobDoes) {
  EXPECT_EQ(load(true), 0) << err_.str();
  failed_ = 1;
  EXPECT_EQ(load(true), 1);
  EXPECT_THAT(err_.str(), HasSubstr("1 failed"));
  end_state_ = "Failed";
  EXPECT_EQ(load(true), 2);
}

TEST_F(LoadCommandTest, GoesOnWithAnUploadThatWasInterrupted) {
  refusal_ = http::Response::json(401, R"({"error":"the token has expired","code":"X"})");
  EXPECT_EQ(load(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("the token has expired"));
  refusal_.reset();
  stored_ = "id,name\n1,A";
  EXPECT_EQ(load(), 0);
  EXPECT_EQ(created_, 1);
  EXPECT_EQ(stored_, "id,name\n1,Ann\n2,Bob\n");
  EXPECT_THAT(err_.str(),
              HasSubstr("going on with the upload of job " + kId.to_string()));
}

TEST_F(LoadCommandTest, StartsANewJobForAFileThatHasChanged) {
  refusal_ = http::Response::json(401, R"({"error":"no","code":"X"})");
  EXPECT_EQ(load(), 2);
  refusal_.reset();
  write("id,name\n1,Eve\n");
  EXPECT_EQ(load(), 0);
  EXPECT_EQ(created_, 2);
  EXPECT_EQ(stored_, "id,name\n1,Eve\n");
}

TEST_F(LoadCommandTest, StartsANewJobOnceTheUploadIsComplete) {
  EXPECT_EQ(load(), 0);
  EXPECT_EQ(load(), 0);
  EXPECT_EQ(created_, 2);
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/state"));
}

TEST_F(LoadCommandTest, AbortsAJobWhoseFileIsRefused) {
  refusal_ = http::Response::json(
      422,
      R"({"error":"there is no column nmae; did you mean name?","code":"UNKNOWN_COLUMN"})");
  EXPECT_EQ(load(), 2);
  EXPECT_EQ(state_, "Aborted");
  EXPECT_THAT(err_.str(), HasSubstr("there is no column nmae; did you mean name?"));
  EXPECT_EQ(out_.str(), "");
}

TEST_F(LoadCommandTest, LeavesANamedJobAloneWhenItsFileIsAnother) {
  resume_ = kId;
  stored_ = std::string(100, 'x');
  EXPECT_EQ(load(), 2);
  EXPECT_EQ(state_, "Open");
  EXPECT_EQ(created_, 0);
  EXPECT_THAT(err_.str(), HasSubstr("it is another file"));
}

TEST_F(LoadCommandTest, GoesOnWithTheJobThatIsNamed) {
  resume_ = kId;
  stored_ = "id,na";
  EXPECT_EQ(load(), 0) << err_.str();
  EXPECT_EQ(created_, 0);
  EXPECT_EQ(stored_, "id,name\n1,Ann\n2,Bob\n");
}

TEST_F(LoadCommandTest, DoesNotSendAgainWhatIsComplete) {
  resume_ = kId;
  state_ = "In Progress";
  EXPECT_EQ(load(), 0) << err_.str();
  EXPECT_EQ(stored_, "");
  EXPECT_THAT(err_.str(), HasSubstr("already uploaded, as job"));
}

TEST_F(LoadCommandTest, SaysWhenAFileIsNotThere) {
  std::filesystem::remove(folder_ + "/people.csv");
  EXPECT_EQ(load(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("cannot open"));
  EXPECT_THAT(server_.lines(), IsEmpty());
}

TEST(UploadMemoryTest, RemembersAJobUntilItIsToldToForget) {
  char path[] = "/tmp/tallyman_memory_XXXXXX";
  ASSERT_NE(::mkdtemp(path), nullptr);
  const std::string folder = std::string(path) + "/deep/er";
  UploadMemory memory(folder);
  EXPECT_FALSE(memory.find("a"));
  EXPECT_TRUE(memory.remember("a", {"people", kId}));
  ASSERT_TRUE(memory.find("a"));
  EXPECT_EQ(memory.find("a")->resource, "people");
  EXPECT_EQ(memory.find("a")->id, kId);
  EXPECT_FALSE(memory.find("b"));
  memory.forget("a");
  EXPECT_FALSE(memory.find("a"));
  std::filesystem::remove_all(path);
}

TEST(UploadMemoryTest, RemembersNothingWithoutAFolder) {
  UploadMemory memory("");
  EXPECT_FALSE(memory.remember("a", {"people", kId}));
  EXPECT_FALSE(memory.find("a"));
}

}  // namespace
}  // namespace tallyman
