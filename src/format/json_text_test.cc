#include "format/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace tallyman {
namespace {

std::string unescaped(std::string_view inside) {
  std::string out(inside.size(), '\0');
  const auto size = json_unescape(inside, out.data());
  EXPECT_EQ(is_json_string_inside(inside), size.has_value()) << inside;
  if (!size) return "ERROR";
  out.resize(*size);
  return out;
}

TEST(JsonText, DecodesEscapes) {
  EXPECT_EQ(unescaped(""), "");
  EXPECT_EQ(unescaped("plain"), "plain");
  EXPECT_EQ(unescaped(R"(a\"\\\/\b\f\n\r\tb)"), "a\"\\/\b\f\n\r\tb");
  EXPECT_EQ(unescaped(R"(\u0041\u00e9\u00E9\u20ac\ud83d\ude00!)"),
            "A\xC3\xA9\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80!");
  EXPECT_EQ(unescaped(R"(\uD7FF\uE000\uFFFF\uDBFF\uDFFF)"),
            "\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF4\x8F\xBF\xBF");
}

TEST(JsonText, RefusesWhatIsNoEscapeAndWhatIsNoText) {
  for (const char* inside :
       {R"(\)", R"(\x)", R"(\u)", R"(\u00e)", R"(\u00g0)", R"(\u0000)", R"(\ud800)",
        R"(\ud800x)", R"(\ud800\n)", R"(\ud800\u0041)", R"(\ud800\ud800)", R"(\udc00)",
        R"(\udfff)", R"(\ud83d\ude0)", R"(\N)", R"(\u 041)", R"(\u+041)"}) {
    EXPECT_EQ(unescaped(inside), "ERROR") << inside;
  }
}

}  // namespace
}  // namespace tallyman
