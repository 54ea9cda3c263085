#include "service/envelope.h"

#include <gmock/gmock.h>

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(EnvelopeTest, PutsItsMembersIntoTheRequest) {
  JobRequest request;
  ASSERT_TRUE(
      apply_envelope(R"({"unique_fields": ["a", "b"], "update_fields": []})", request)
          .ok());
  EXPECT_THAT(request.options.unique_fields, ElementsAre("a", "b"));
  EXPECT_THAT(request.options.update_fields.value(), ElementsAre());
}

TEST(EnvelopeTest, OneNameAloneIsAListOfOne) {
  JobRequest request;
  ASSERT_TRUE(apply_envelope(R"({"unique_fields": "a"})", request).ok());
  EXPECT_THAT(request.options.unique_fields, ElementsAre("a"));
}

TEST(EnvelopeTest, WithoutMembersItLeavesTheRequestAsItIs) {
  JobRequest request;
  request.options.unique_fields = {"id"};
  ASSERT_TRUE(apply_envelope("{}", request).ok());
  EXPECT_THAT(request.options.unique_fields, ElementsAre("id"));
  EXPECT_FALSE(request.options.update_fields.has_value());
}

TEST(EnvelopeTest, WhatIsUnknownOrNoListOfNamesIsRefusedByName) {
  for (const char* bad : {R"({"unique": ["a"]})", R"({"unique_fields": 7})",
                          R"({"unique_fields": [7]})", R"({"update_fields": null})"}) {
    JobRequest request;
    const auto refused = apply_envelope(bad, request);
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(refused.error().message, HasSubstr("'u"));
  }
}

TEST(EnvelopeTest, WhatIsNotJsonIsUnreadable) {
  JobRequest request;
  const auto refused = apply_envelope(R"({"unique_fields": [})", request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnreadable);
}

}  // namespace
}  // namespace tallyman
