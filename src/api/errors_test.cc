#include "api/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace tallyman {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Expected {
  ErrorCode error;
  int status;
  std::string_view code;
};

constexpr auto kExpected = std::to_array<Expected>({
    {ErrorCode::kInvalidArgument, 400, "INVALID_ARGUMENT"},
    {ErrorCode::kUnauthenticated, 401, "UNAUTHENTICATED"},
    {ErrorCode::kForbidden, 403, "FORBIDDEN"},
    {ErrorCode::kNotFound, 404, "NOT_FOUND"},
    {ErrorCode::kConflict, 409, "CONFLICT"},
    {ErrorCode::kGone, 410, "GONE"},
    {ErrorCode::kTooLarge, 413, "TOO_LARGE"},
    {ErrorCode::kUnsupportedMedia, 415, "UNSUPPORTED_MEDIA_TYPE"},
    {ErrorCode::kUnreadable, 422, "UNREADABLE"},
    {ErrorCode::kTooMany, 429, "TOO_MANY_REQUESTS"},
    {ErrorCode::kUnavailable, 503, "UNAVAILABLE"},
    {ErrorCode::kOutOfSpace, 507, "OUT_OF_SPACE"},
    {ErrorCode::kLost, 409, "CONFLICT"},
    {ErrorCode::kInternal, 500, "INTERNAL"},
});

TEST(Errors, HaveTheStatusAndCodeThatClientsRelyOn) {
  for (const Expected& expected : kExpected) {
    const auto response = error_response({expected.error, "why"});
    EXPECT_EQ(response.status, expected.status);
    EXPECT_THAT(response.body,
                HasSubstr("\"code\":\"" + std::string(expected.code) + "\""));
    EXPECT_EQ(response.headers.find("Content-Type"), "application/json");
  }
}

TEST(Errors, AskToComeBackExactlyWhereThatMayHelp) {
  for (const Expected& expected : kExpected) {
    const auto response = error_response({expected.error, "why"});
    EXPECT_EQ(response.headers.find("Retry-After").has_value(),
              is_transient(expected.error))
        << expected.code;
  }
}

TEST(Errors, SayHowToAuthenticateOnlyWhereNobodyIsKnown) {
  for (const Expected& expected : kExpected) {
    const auto response = error_response({expected.error, "why"});
    EXPECT_EQ(response.headers.find("WWW-Authenticate").has_value(),
              expected.status == 401)
        << expected.code;
  }
}

TEST(Errors, PreferThePreciseCodeAndCarryMembers) {
  const auto response =
      error_response({ErrorCode::kConflict, "job \"17\"", "INVALID_STATE"},
                     {{"state", "\"Failed\""}, {"offset", "12"}});
  EXPECT_EQ(
      response.body,
      R"({"error":"job \"17\"","code":"INVALID_STATE","state":"Failed","offset":12})");
}

TEST(Errors, KeepTheTextOfInternalOnesToTheLog) {
  testing::internal::CaptureStderr();
  const auto response =
      error_response({ErrorCode::kInternal, "no such table: secret_table"});
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("secret_table"));
  EXPECT_THAT(response.body, Not(HasSubstr("secret_table")));
}

}  // namespace
}  // namespace tallyman
