#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"
#include "client/test_server.h"

namespace tallyman::client {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const JobReference kJob{"people",
                        JobId(*Uuid::parse("01890a5d-ac96-774b-bcce-b302099a8057"))};
constexpr std::uint64_t kPart = 10;

http::Response at_offset(int status, std::uint64_t offset) {
  http::Response response = http::Response::empty(status);
  response.headers.add("Upload-Offset", std::to_string(offset));
  return response;
}

http::Response conflict(std::string_view code) {
  return http::Response::json(
      409, R"({"error":"not now","code":")" + std::string(code) + R"("})");
}

// A server that keeps an upload as the real one does.
class UploadTest : public testing::Test {
 protected:
  UploadTest()
      : server_([this](http::Request& request, const std::string& body) {
          if (request.method == "HEAD") return at_offset(200, stored_.size());
          ++parts_;
          if (const auto answer = before_ ? before_(body) : std::nullopt) return *answer;
          if (*request.headers.find("Upload-Offset") != std::to_string(stored_.size())) {
            return conflict("WRONG_OFFSET");
          }
          stored_ += body;
          if (parts_ == lost_answer_) return TestServer::broken_answer();
          return at_offset(204, stored_.size());
        }) {
    RetryPolicy retry;
    retry.attempts_max = 5;
    retry.sleep = [this](milliseconds) { ++waits_; };
    client_ =
        Client::make({.url = server_.url(), .retry = retry, .part_bytes = kPart}).value();
  }

  Result<std::uint64_t> upload(std::string bytes) {
    const auto source = make_upload_bytes(std::move(bytes));
    return client_->upload(kJob, *source);
  }

  // Looks at a part before it is stored; may answer instead.
  std::function<std::optional<http::Response>(const std::string& body)> before_;
  int lost_answer_ = 0;  // Of this part, counted from 1.
  int parts_ = 0;
  int waits_ = 0;
  std::string stored_;
  TestServer server_;
  std::unique_ptr<Client> client_;
};

TEST_F(UploadTest, SendsEveryByteWhateverTheLength) {
  std::string bytes;
  for (std::size_t length = 0; length <= 3 * kPart + 1; ++length) {
    stored_.clear();
    const auto sent = upload(bytes);
    ASSERT_TRUE(sent.ok()) << sent.error().message;
    EXPECT_EQ(sent.value(), length);
    EXPECT_EQ(stored_, bytes);
    bytes += static_cast<char>('a' + length % 26);
  }
}

TEST_F(UploadTest, GoesOnFromWhatTheServerHas) {
  const std::string bytes = "0123456789abcdefghijklmno";
  for (std::size_t held = 0; held <= bytes.size(); ++held) {
    stored_ = bytes.substr(0, held);
    ASSERT_TRUE(upload(bytes).ok());
    EXPECT_EQ(stored_, bytes);
  }
}

TEST_F(UploadTest, RefusesToGoOnWithAnotherFile) {
  stored_ = "longer than it";
  const auto sent = upload("short");
  ASSERT_FALSE(sent.ok());
  EXPECT_THAT(sent.error().message, HasSubstr("it is another file"));
}

TEST_F(UploadTest, LosesAndDoublesNothingWhenAnAnswerIsLost) {
  lost_answer_ = 2;
  ASSERT_TRUE(upload("0123456789abcdefghijklmno").ok());
  EXPECT_EQ(stored_, "0123456789abcdefghijklmno");
  EXPECT_EQ(parts_, 3);
}

TEST_F(UploadTest, GoesOnInTheMiddleOfAPartThatWasKeptHalf) {
  before_ = [this](const std::string& body) -> std::optional<http::Response> {
    if (parts_ != 2) return std::nullopt;
    stored_ += body.substr(0, 3);
    return TestServer::broken_answer();
  };
  ASSERT_TRUE(upload("0123456789abcdefghijklmno").ok());
  EXPECT_EQ(stored_, "0123456789abcdefghijklmno");
}

TEST_F(UploadTest, WaitsWhileTheServerStillReadsABrokenPart) {
  before_ = [this](const std::string&) -> std::optional<http::Response> {
    if (parts_ <= 2) return conflict("UPLOAD_IN_PROGRESS");
    return std::nullopt;
  };
  ASSERT_TRUE(upload("0123456789abc").ok());
  EXPECT_EQ(stored_, "0123456789abc");
  EXPECT_EQ(waits_, 2);
}

TEST_F(UploadTest, GivesUpWhenNothingGoesForward) {
  before_ = [](const std::string&) { return std::optional(conflict("WRONG_OFFSET")); };
  const auto sent = upload("0123456789abc");
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().detail_code, "WRONG_OFFSET");
  EXPECT_EQ(parts_, 5);
}

TEST_F(UploadTest, CountsAttemptsAnewWithEveryPart) {
  before_ = [this](const std::string&) -> std::optional<http::Response> {
    if (parts_ % 3 != 0) return TestServer::broken_answer();
    return std::nullopt;
  };
  ASSERT_TRUE(upload("0123456789abcdefghijklmno0123456789").ok());
  EXPECT_EQ(stored_, "0123456789abcdefghijklmno0123456789");
}

TEST_F(UploadTest, StopsWithTheServersReasonForABadHeader) {
  before_ = [](const std::string&) {
    return std::optional(http::Response::json(
        422, R"({"error":"there is no column emial","code":"UNKNOWN_COLUMN"})"));
  };
  const auto sent = upload("id,emial\n");
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kUnreadable);
  EXPECT_EQ(sent.error().message, "there is no column emial");
  EXPECT_EQ(parts_, 1);
}

TEST_F(UploadTest, TellsHowFarItIs) {
  const auto source = make_upload_bytes("0123456789abc");
  std::vector<std::uint64_t> offsets;
  ASSERT_TRUE(
      client_->upload(kJob, *source, [&](std::uint64_t at) { offsets.push_back(at); })
          .ok());
  EXPECT_EQ(offsets.front(), 0U);
  EXPECT_EQ(offsets.back(), 13U);
  EXPECT_TRUE(std::is_sorted(offsets.begin(), offsets.end()));
}

}  // namespace
}  // namespace tallyman::client
