#include "api/rest/json_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/limits.h"

namespace tallyman::rest {
namespace {

using testing::ElementsAre;

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

http::Request request_with(std::string body) {
  http::Request request;
  request.method = "POST";
  request.headers.add("Content-Type", "application/json; charset=utf-8");
  request.body = std::make_unique<StringBody>(std::move(body));
  return request;
}

std::vector<SentOption> members(std::string_view json) {
  auto read = members_of_json(json);
  EXPECT_TRUE(read.ok()) << json;
  return read.ok() ? std::move(read).value() : std::vector<SentOption>();
}

TEST(JsonRequest, GivesEveryKindOfValueAsItsText) {
  const auto all = members(
      R"( {"text": "a\u00e9\n", "number": 12.50 , "big": 123456789012345678901234567890,
           "yes": true, "object": {"sum.amount": 175.7500, "x": [1, {"y": null}]}, "none": null,
           "last": -0.10} )");
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[0].text, "a\xc3\xa9\n");
  EXPECT_EQ(all[1].text, "12.50");
  EXPECT_EQ(all[2].text, "123456789012345678901234567890");
  EXPECT_EQ(all[3].text, "true");
  EXPECT_EQ(all[4].text, R"({"sum.amount": 175.7500, "x": [1, {"y": null}]})");
  EXPECT_EQ(all[5].name, "last");
  EXPECT_EQ(all[5].text, "-0.10");
}

TEST(JsonRequest, GivesArraysOfTextsAsNamesAndOthersAsTheirText) {
  const auto all = members(
      R"({"names": ["a,b", "c\""], "mixed": ["a", 1, [2]], "empty": [], "after": 1})");
  ASSERT_EQ(all.size(), 4u);
  ASSERT_TRUE(all[0].names.has_value());
  EXPECT_THAT(*all[0].names, ElementsAre("a,b", "c\""));
  EXPECT_FALSE(all[1].names.has_value());
  EXPECT_EQ(all[1].text, R"(["a", 1, [2]])");
  EXPECT_TRUE(all[2].names.has_value() && all[2].names->empty());
  EXPECT_EQ(all[3].text, "1");
}

TEST(JsonRequest, TakesOneObjectOnly) {
  for (const std::string_view json :
       {"", "[]", "1", "{\"a\":1", "{\"a\":1}}", "{\"a\":1} {\"b\":2}", "{a:1}",
        "{\"a\":}", "{\"a\":tru}", "{\"a\":01}", "{\"a\":\"\xff\"}",
        "{\"a\":{\"b\":}}"}) {
    const auto read = members_of_json(json);
    ASSERT_FALSE(read.ok()) << json;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(JsonRequest, RefusesWhatIsNestedTooDeep) {
  const auto nested = [](std::size_t depth) {
    return members_of_json("{\"a\":" + std::string(depth, '[') + std::string(depth, ']') +
                           "}");
  };
  EXPECT_TRUE(nested(32).ok());
  EXPECT_FALSE(nested(33).ok());
  EXPECT_FALSE(nested(500'000).ok());
}

TEST(JsonRequest, TakesABodyUpToItsLimitAndNotAByteMore) {
  const std::string shell = R"({"a":""})";
  const std::string filling(limits::kRequestJsonBytesMax - shell.size(), 'x');
  auto at_limit = request_with(R"({"a":")" + filling + R"("})");
  EXPECT_TRUE(read_json_request(at_limit).ok());
  auto above = request_with(R"({"a":"x)" + filling + R"("})");
  const auto read = read_json_request(above);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kTooLarge);
}

TEST(JsonRequest, RefusesOtherTypesAndEncodings) {
  auto other = request_with("{}");
  other.headers.set("Content-Type", "text/csv");
  EXPECT_EQ(read_json_request(other).error().code, ErrorCode::kUnsupportedMedia);
  auto encoded = request_with("{}");
  encoded.headers.set("Content-Encoding", "gzip");
  EXPECT_EQ(read_json_request(encoded).error().code, ErrorCode::kUnsupportedMedia);
}

TEST(JsonRequest, GivesOutAMemberOnce) {
  auto all = members(R"({"a": 1, "b": 2})");
  EXPECT_EQ(take_member(all, "b")->text, "2");
  EXPECT_FALSE(take_member(all, "b").has_value());
  EXPECT_EQ(all.size(), 1u);
}

}  // namespace
}  // namespace tallyman::rest
