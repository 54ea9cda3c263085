#include "http/request_target.h"

#include <gtest/gtest.h>

namespace tallyman::http {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

RequestTarget read(std::string_view text) {
  auto target = parse_request_target(text);
  if (const auto* fault = std::get_if<Fault>(&target)) {
    ADD_FAILURE() << text << ": " << fault->message;
    return {};
  }
  return std::get<RequestTarget>(target);
}

bool is_refused(std::string_view text) {
  const auto target = parse_request_target(text);
  const auto* fault = std::get_if<Fault>(&target);
  return fault != nullptr && fault->status == 400 && fault->code == "BAD_REQUEST";
}

TEST(RequestTargetTest, DecodesPathAndQuery) {
  const RequestTarget target =
      read("/api/a%20b/%E2%82%AC/?limit=5&x=1+2%2B3&flag&=v&x=%26%3D%2F");
  EXPECT_EQ(target.path, "/api/a b/\u20ac/");
  EXPECT_EQ(
      target.query,
      (Query{{"limit", "5"}, {"x", "1 2+3"}, {"flag", ""}, {"", "v"}, {"x", "&=/"}}));
}

TEST(RequestTargetTest, KeepsAPlusInThePath) { EXPECT_EQ(read("/a+b").path, "/a+b"); }

TEST(RequestTargetTest, MakesLeadingSlashesOne) {
  EXPECT_EQ(read("//api/x").path, "/api/x");
  EXPECT_EQ(read("///").path, "/");
  EXPECT_EQ(read("/").path, "/");
}

TEST(RequestTargetTest, ReadsTheAbsoluteForm) {
  EXPECT_EQ(read("http://host:80/a?b=c").path, "/a");
  EXPECT_EQ(read("HTTPS://host?b=c").path, "/");
  EXPECT_EQ(read("http://host").authority, "host");
}

TEST(RequestTargetTest, RefusesWhatCanBeReadInTwoWays) {
  for (const std::string_view text : {"",
                                      "*",
                                      "host:443",
                                      "api",
                                      "?a=b",
                                      "ftp://host/",
                                      "http:///a",
                                      "/..",
                                      "/../etc",
                                      "/a/..",
                                      "/a/../b",
                                      "/a/.",
                                      "/./a",
                                      "/%2e%2e/a",
                                      "/a/%2E%2e",
                                      "/.%2e/",
                                      "/a%2fb",
                                      "/a%2Fb",
                                      "/a%5cb",
                                      "/a\\b",
                                      "/a%00",
                                      "/%0d%0aX:y",
                                      "/a%",
                                      "/a%2",
                                      "/a%2g",
                                      "/a%%20",
                                      "/a%u0041",
                                      "/a%ff",
                                      "/%c0%ae%c0%ae/",
                                      "/a%7f",
                                      "/a#b",
                                      "/a?b#c",
                                      "/a?x=%",
                                      "/a?x=%zz",
                                      "/a?%=1",
                                      "/a?x=%00",
                                      "/a?x=%ff"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
}

TEST(RequestTargetTest, LeavesDotsThatAreNames) {
  EXPECT_EQ(read("/template.csv").path, "/template.csv");
  EXPECT_EQ(read("/..a/a..b/...").path, "/..a/a..b/...");
}

}  // namespace
}  // namespace tallyman::http
