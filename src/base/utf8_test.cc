#include "base/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace tallyman {
namespace {

// The definition, by the number: RFC 3629, section 3.
std::string encode(std::uint32_t point) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xC0 | point >> 6), byte(0x80 | (point & 0x3F))};
  if (point < 0x10000) {
    return {byte(0xE0 | point >> 12), byte(0x80 | (point >> 6 & 0x3F)),
            byte(0x80 | (point & 0x3F))};
  }
  return {byte(0xF0 | point >> 18), byte(0x80 | (point >> 12 & 0x3F)),
          byte(0x80 | (point >> 6 & 0x3F)), byte(0x80 | (point & 0x3F))};
}

bool is_surrogate(std::uint32_t point) { return point >= 0xD800 && point <= 0xDFFF; }

TEST(Utf8, KnowsEveryCodePoint) {
  for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
    const std::string bytes = encode(point);
    ASSERT_EQ(utf8_sequence_length(bytes), is_surrogate(point) ? 0 : bytes.size())
        << point;
    ASSERT_EQ(utf8_sequence_length(bytes + "x"), is_surrogate(point) ? 0 : bytes.size());
    ASSERT_EQ(utf8_sequence_length(std::string_view(bytes).substr(0, bytes.size() - 1)),
              0u)
        << point;
  }
}

// Every two bytes, and every three and four of those bytes where a rule changes: what is
// accepted is exactly what an encoder makes.
TEST(Utf8, AcceptsNothingElse) {
  const std::uint8_t kEdges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0,
                                 0xC1, 0xC2, 0xDF, 0xE0, 0xEC, 0xED, 0xEE, 0xEF, 0xF0,
                                 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFC, 0xFE, 0xFF};
  const auto is_encoded = [](std::uint32_t a, std::uint32_t b, std::uint32_t c,
                             std::uint32_t d, const std::string& bytes,
                             std::size_t length) {
    std::uint32_t point = a;
    if (length == 2) point = (a & 0x1F) << 6 | (b & 0x3F);
    if (length == 3) point = (a & 0x0F) << 12 | (b & 0x3F) << 6 | (c & 0x3F);
    if (length == 4) {
      point = (a & 0x07) << 18 | (b & 0x3F) << 12 | (c & 0x3F) << 6 | (d & 0x3F);
    }
    return !is_surrogate(point) && point <= 0x10FFFF &&
           encode(point) == bytes.substr(0, length);
  };
  for (const std::uint8_t a : kEdges) {
    for (const std::uint8_t b : kEdges) {
      for (const std::uint8_t c : kEdges) {
        for (const std::uint8_t d : kEdges) {
          const std::string bytes = {static_cast<char>(a), static_cast<char>(b),
                                     static_cast<char>(c), static_cast<char>(d)};
          std::size_t expected = 0;
          for (std::size_t length = 1; length <= 4; ++length) {
            if (is_encoded(a, b, c, d, bytes, length)) expected = length;
          }
          ASSERT_EQ(utf8_sequence_length(bytes), expected)
              << int{a} << ' ' << int{b} << ' ' << int{c} << ' ' << int{d};
        }
      }
    }
  }
  EXPECT_EQ(utf8_sequence_length(""), 0u);
}

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(utf8_length(""), 0u);
  EXPECT_EQ(utf8_length("abc"), 3u);
  EXPECT_EQ(utf8_length("\xC3\xA9t\xC3\xA9"), 3u);
  EXPECT_EQ(utf8_length("\xE2\x82\xAC\xF0\x9F\x9A\xA2"), 2u);
  EXPECT_EQ(utf8_length("e\xCC\x81"), 2u);
}

}  // namespace
}  // namespace tallyman
