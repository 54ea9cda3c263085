#include "http/message.h"

#include <gtest/gtest.h>

namespace tallyman::http {
namespace {

TEST(HeadersTest, FindsTheFirstWithoutCase) {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("ACCEPT", "b");
  EXPECT_EQ(headers.find("accept"), "a");
  EXPECT_EQ(headers.find("Accep"), std::nullopt);
}

TEST(HeadersTest, SetTakesThePlaceOfAllOfThatName) {
  Headers headers;
  headers.add("X", "1");
  headers.add("Y", "2");
  headers.add("x", "3");
  headers.set("X", "4");
  EXPECT_EQ(headers.all().size(), 2U);
  EXPECT_EQ(headers.find("x"), "4");
  EXPECT_EQ(headers.find("y"), "2");
}

TEST(HeadersTest, CountsThoseOfAName) {
  Headers headers;
  headers.add("X", "1");
  headers.add("x", "1");
  EXPECT_EQ(headers.count("X"), 2U);
  EXPECT_EQ(headers.count("Y"), 0U);
}

TEST(RequestTest, GivesTheFirstParameter) {
  Request request;
  request.query = {{"a", "1"}, {"A", "2"}, {"a", "3"}};
  EXPECT_EQ(request.parameter("a"), "1");
  EXPECT_EQ(request.parameter("A"), "2") << "parameters have case";
  EXPECT_EQ(request.parameter("b"), std::nullopt);
}

}  // namespace
}  // namespace tallyman::http
