#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace tallyman {
namespace {

std::string text(std::string_view value) {
  std::string out;
  append_json_string(out, value);
  return out;
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("none").begin_array().end_array();
  json.key("one").begin_array().integer(1).end_array();
  json.key("more").begin_array().integer(1).text("x").null().begin_object().end_object();
  json.begin_array().boolean(true).end_array().boolean(false).end_array();
  json.key("raw").raw("175.750");
  json.end_object();
  EXPECT_EQ(out,
            R"({"none":[],"one":[1],"more":[1,"x",null,{},[true],false],"raw":175.750})");
}

TEST(JsonWriter, AppendsToWhatIsThere) {
  std::string out = "data: ";
  JsonWriter(out).begin_object().key("a").integer(1).end_object();
  EXPECT_EQ(out, R"(data: {"a":1})");
}

TEST(JsonWriter, WritesNumbers) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  json.integer(std::numeric_limits<std::int64_t>::min());
  json.integer(std::numeric_limits<std::int64_t>::max());
  json.number(12.54, 1).number(100, 1).number(-0.005, 2).number(0, 0);
  json.end_array();
  EXPECT_EQ(out, "[-9223372036854775808,9223372036854775807,12.5,100.0,-0.01,0]");
}

TEST(JsonWriter, EscapesWhatMustBeEscapedAndNothingElse) {
  EXPECT_EQ(text(""), R"("")");
  EXPECT_EQ(text("a/b'c"), R"("a/b'c")");
  EXPECT_EQ(text("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(text(std::string_view("\0\x01\x1F\x20\x7F", 5)),
            "\"\\u0000\\u0001\\u001f \x7F\"");
  EXPECT_EQ(text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\xA2"),
            "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\xA2\"");
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(text("a\xFFz"), R"("a\ufffdz")");
  EXPECT_EQ(text("\xC3"), R"("\ufffd")");
  EXPECT_EQ(text("\xC3(\xC3\xA9"), "\"\\ufffd(\xC3\xA9\"");
  EXPECT_EQ(text("\xED\xA0\x80"), R"("\ufffd\ufffd\ufffd")");
}

TEST(JsonWriter, EscapesKeysToo) {
  std::string out;
  JsonWriter(out).begin_object().key("a\"\n").null().end_object();
  EXPECT_EQ(out, R"({"a\"\n":null})");
}

}  // namespace
}  // namespace tallyman
