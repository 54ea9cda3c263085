#include "api/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tallyman {
namespace {

using testing::HasSubstr;

class StringSink final : public http::BodySink {
 public:
  Result<void> write(std::string_view bytes) override {
    text += bytes;
    if (broken) return Error{ErrorCode::kUnavailable, "gone"};
    return {};
  }
  Result<void> flush() override { return {}; }
  bool stopping() const override { return true; }

  std::string text;
  bool broken = false;
};

AccessEntry entry_of(const Clock& clock) {
  return {.method = "GET",
          .route = "/api/{resource}/jobs",
          .token = "nightly",
          .started = clock.steady()};
}

TEST(AccessLog, HasOneLineForAnAnswer) {
  const SystemClock clock;
  testing::internal::CaptureStderr();
  const auto response =
      with_access_log(http::Response::json(404, "{\"a\":1}"), entry_of(clock), clock);
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      HasSubstr("request method=GET route=/api/{resource}/jobs status=404 bytes=7 "));
  EXPECT_EQ(response.body, "{\"a\":1}");
}

TEST(AccessLog, HasTheLineOfAStreamAtItsEnd) {
  const SystemClock clock;
  http::Response streamed;
  streamed.stream = [](http::BodySink& sink) -> Result<void> {
    EXPECT_TRUE(sink.stopping());
    TALLY_TRY(sink.write("12345"));
    TALLY_TRY(sink.flush());
    return sink.write("678");
  };
  testing::internal::CaptureStderr();
  const auto response = with_access_log(std::move(streamed), entry_of(clock), clock);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");

  testing::internal::CaptureStderr();
  StringSink sink;
  EXPECT_TRUE(response.stream(sink).ok());
  EXPECT_EQ(sink.text, "12345678");
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_THAT(line, HasSubstr(" status=200 bytes=8 "));
  EXPECT_THAT(line, HasSubstr(" token=nightly end=whole"));
}

TEST(AccessLog, HasTheLineOfAHeadAtOnce) {
  const SystemClock clock;
  http::Response streamed;
  streamed.stream = [](http::BodySink& sink) { return sink.write("12345"); };
  AccessEntry entry = entry_of(clock);
  entry.method = "HEAD";
  testing::internal::CaptureStderr();
  const auto response = with_access_log(std::move(streamed), entry, clock);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("method=HEAD "));
  EXPECT_TRUE(response.stream != nullptr);
}

TEST(AccessLog, TellsAStreamThatWasCut) {
  const SystemClock clock;
  http::Response streamed;
  streamed.stream = [](http::BodySink& sink) { return sink.write("12345"); };
  const auto response = with_access_log(std::move(streamed), entry_of(clock), clock);
  testing::internal::CaptureStderr();
  StringSink sink;
  sink.broken = true;
  EXPECT_FALSE(response.stream(sink).ok());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("end=cut"));
}

}  // namespace
}  // namespace tallyman
