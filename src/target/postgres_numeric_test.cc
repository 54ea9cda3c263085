#include "target/postgres_numeric.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i != 0 && i % 2 == 0) text += ' ';
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// The wire form as 16-bit words, or how it was refused.
std::string encoded(std::string_view text, std::optional<int> precision = {},
                    std::optional<int> scale = {}) {
  std::string bytes = "x";
  switch (encode_numeric(text, precision, scale, bytes)) {
    case TextFault::kNone: return hex(std::string_view(bytes).substr(1));
    case TextFault::kMalformed: EXPECT_EQ(bytes, "x"); return "malformed";
    case TextFault::kOutOfRange: EXPECT_EQ(bytes, "x"); return "out of range";
  }
  return {};
}

std::string read_back(std::string_view text) {
  std::string bytes;
  EXPECT_EQ(encode_numeric(text, {}, {}, bytes), TextFault::kNone);
  std::string plain;
  append_numeric_text(bytes, plain);
  return plain;
}

// count, weight, sign, scale, then digits: as numeric_send() gives them.
TEST(PostgresNumeric, IsWrittenAsPostgresqlWritesIt) {
  EXPECT_EQ(encoded("0"), "0000 0000 0000 0000");
  EXPECT_EQ(encoded("-0.00"), "0000 0000 0000 0002");
  EXPECT_EQ(encoded("1"), "0001 0000 0000 0000 0001");
  EXPECT_EQ(encoded("-1"), "0001 0000 4000 0000 0001");
  EXPECT_EQ(encoded("175.75"), "0002 0000 0000 0002 00af 1d4c");
  EXPECT_EQ(encoded("12345678"), "0002 0001 0000 0000 04d2 162e");
  EXPECT_EQ(encoded("10000"), "0001 0001 0000 0000 0001");
  EXPECT_EQ(encoded("0.0001"), "0001 ffff 0000 0004 0001");
  EXPECT_EQ(encoded("0.00001"), "0001 fffe 0000 0005 03e8");
  EXPECT_EQ(encoded("1.50"), "0002 0000 0000 0002 0001 1388");
  EXPECT_EQ(encoded("1.5e3"), "0001 0000 0000 0000 05dc");
  EXPECT_EQ(encoded("15e-1"), "0002 0000 0000 0001 0001 1388");
}

TEST(PostgresNumeric, HasTheDeclaredScale) {
  EXPECT_EQ(encoded("1", 12, 2), "0001 0000 0000 0002 0001");
  EXPECT_EQ(encoded("1.5000", 12, 2), "0002 0000 0000 0002 0001 1388");
  EXPECT_EQ(encoded("1500", 3, -2), "0001 0000 0000 0000 05dc");
}

TEST(PostgresNumeric, IsNeverRounded) {
  EXPECT_EQ(encoded("9999999999.99", 12, 2).substr(0, 4), "0004");
  EXPECT_EQ(encoded("10000000000", 12, 2), "out of range");
  EXPECT_EQ(encoded("0.001", 12, 2), "out of range");
  EXPECT_EQ(encoded("1550", 3, -2), "out of range");
  EXPECT_EQ(encoded("100000", 3, -2), "out of range");
  EXPECT_EQ(encoded("0.0099", 2, 4).substr(0, 4), "0001");
  EXPECT_EQ(encoded("0.01", 2, 4), "out of range");
  EXPECT_EQ(encoded("0", 2, 4), "0000 0000 0000 0004");
}

TEST(PostgresNumeric, GoesToTheLimitsAndNoFurther) {
  EXPECT_EQ(encoded("1e131071"), "0001 7fff 0000 0000 03e8");
  EXPECT_EQ(encoded("1e131072"), "out of range");
  EXPECT_EQ(encoded("1e-16383"), "0001 f000 0000 3fff 000a");
  EXPECT_EQ(encoded("1e-16384"), "out of range");
  EXPECT_EQ(encoded("1e999999999999"), "out of range");
  EXPECT_EQ(encoded("0e999999999999"), "0000 0000 0000 0000");
  EXPECT_EQ(encoded("1." + std::string(20'000, '0')).substr(0, 19),
            "0001 0000 0000 3fff");
}

TEST(PostgresNumeric, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "+", "-", ".", "e5", "1e", "1e+", "1 ", " 1", "--1",
                           "1.2.3", "NaN", "Infinity", "0x10", "1_000", "1,5"}) {
    EXPECT_EQ(encoded(text), "malformed") << text;
  }
}

TEST(PostgresNumeric, ReadsBackWithoutZerosThatSayNothing) {
  for (const char* text : {"0", "1", "-1", "10000", "12345678.9", "0.00001", "-0.5",
                           "100000000", "0.12345678901234567890123456789", "1200"}) {
    EXPECT_EQ(read_back(text), text);
  }
  EXPECT_EQ(read_back("-0"), "0");
  EXPECT_EQ(read_back("0001.5000"), "1.5");
  EXPECT_EQ(read_back("1e20"), "100000000000000000000");
  std::string text;
  append_numeric_text(std::string_view("\0\0\0\0\xC0\0\0\0", 8), text);
  EXPECT_EQ(text, "NaN");
}

}  // namespace
}  // namespace tallyman
