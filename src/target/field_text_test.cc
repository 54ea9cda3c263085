#include "target/field_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tallyman {
namespace {

TEST(FieldText, ReadsIntegersOfTheWholeRange) {
  std::int64_t value = 0;
  EXPECT_EQ(parse_integer("-9223372036854775808", value), TextFault::kNone);
  EXPECT_EQ(value, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_integer("9223372036854775807", value), TextFault::kNone);
  EXPECT_EQ(value, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse_integer("+007", value), TextFault::kNone);
  EXPECT_EQ(value, 7);
  EXPECT_EQ(parse_integer("9223372036854775808", value), TextFault::kOutOfRange);
  EXPECT_EQ(parse_integer("-9223372036854775809", value), TextFault::kOutOfRange);
  for (const char* text : {"", "+", "-", "+-1", "1.0", "1e3", " 1", "1 ", "0x1", "one"}) {
    EXPECT_EQ(parse_integer(text, value), TextFault::kMalformed) << text;
  }
}

TEST(FieldText, ReadsFiniteFloats) {
  double value = 0;
  EXPECT_EQ(parse_float("1.5e3", value), TextFault::kNone);
  EXPECT_EQ(value, 1500);
  EXPECT_EQ(parse_float("+.5", value), TextFault::kNone);
  EXPECT_EQ(value, 0.5);
  EXPECT_EQ(parse_float("0.1", value), TextFault::kNone);
  EXPECT_EQ(value, 0.1);
  EXPECT_EQ(parse_float("-0", value), TextFault::kNone);
  EXPECT_FALSE(std::signbit(value));
  EXPECT_EQ(parse_float("1e-9999", value), TextFault::kNone);
  EXPECT_EQ(value, 0);
  EXPECT_EQ(parse_float("4.9e-324", value), TextFault::kNone);
  EXPECT_EQ(value, std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(parse_float("1e309", value), TextFault::kOutOfRange);
  for (const char* text : {"", "-", "+", "+-1", "-+1", "nan", "inf", "-inf", "0x1p3",
                           "1.5 ", ".", "1e", "1,5"}) {
    EXPECT_EQ(parse_float(text, value), TextFault::kMalformed) << text;
  }
}

TEST(FieldText, ReadsBooleans) {
  for (const char* text : {"true", "TRUE", "True", "t", "T", "1"}) {
    EXPECT_EQ(parse_boolean(text), true) << text;
  }
  for (const char* text : {"false", "FALSE", "f", "0"}) {
    EXPECT_EQ(parse_boolean(text), false) << text;
  }
  for (const char* text : {"", "yes", "2", "01", "tru", "truee", "\x11"}) {
    EXPECT_EQ(parse_boolean(text), std::nullopt) << text;
  }
}

TEST(FieldText, KnowsTheDaysOfTheCalendar) {
  for (const char* text : {"0001-01-01", "2024-02-29", "2000-02-29", "9999-12-31"}) {
    EXPECT_TRUE(is_date(text)) << text;
  }
  for (const char* text :
       {"0000-01-01", "2023-02-29", "1900-02-29", "2024-04-31", "2024-13-01",
        "2024-00-10", "2024-01-00", "2024-1-1", "24-01-01", "2024/01/01", "2024-01-01 ",
        "2024-01-0x", "+024-01-01", "infinity"}) {
    EXPECT_FALSE(is_date(text)) << text;
  }
}

TEST(FieldText, KnowsTimesAndPointsInTime) {
  for (const char* text : {"00:00:00", "23:59:59", "10:30:00.1", "10:30:00.123456"}) {
    EXPECT_TRUE(is_time(text)) << text;
  }
  for (const char* text :
       {"24:00:00", "10:60:00", "10:30:60", "10:30", "1:30:00", "10:30:00.",
        "10:30:00.1234567", "10:30:00Z", "10-30-00", ""}) {
    EXPECT_FALSE(is_time(text)) << text;
  }
  for (const char* text : {"2024-01-31T10:30:00", "2024-01-31 10:30:00",
                           "2024-01-31t10:30:00z", "2024-01-31T10:30:00.5Z",
                           "2024-01-31T10:30:00+05:30", "2024-01-31T10:30:00.25-23:59"}) {
    EXPECT_TRUE(is_timestamp(text)) << text;
  }
  for (const char* text :
       {"2024-01-31", "2024-01-31T", "2024-02-30T10:30:00", "2024-01-31_10:30:00",
        "2024-01-31T10:30:00+5:30", "2024-01-31T10:30:00+0530",
        "2024-01-31T10:30:00+24:00", "2024-01-31T10:30:00 Z", "now"}) {
    EXPECT_FALSE(is_timestamp(text)) << text;
  }
}

TEST(FieldText, KnowsUuidsJsonAndBytes) {
  EXPECT_TRUE(is_uuid("550e8400-e29b-41d4-a716-446655440000"));
  EXPECT_TRUE(is_uuid("550E8400-E29B-41D4-A716-446655440000"));
  EXPECT_FALSE(is_uuid("550e8400e29b41d4a716446655440000"));
  EXPECT_FALSE(is_uuid("550e8400-e29b-41d4-a716-44665544000g"));
  EXPECT_FALSE(is_uuid("{550e8400-e29b-41d4-a716-44665544000}"));

  EXPECT_TRUE(is_json("{\"a\": [1, null]}"));
  EXPECT_TRUE(is_json("1.5"));
  EXPECT_FALSE(is_json("{a: 1}"));
  EXPECT_FALSE(is_json("1 2"));
  EXPECT_FALSE(is_json(""));

  std::string bytes;
  ASSERT_TRUE(decode_bytes("\\x00Ff7e", bytes));
  EXPECT_EQ(bytes, std::string("\0\xFF~", 3));
  const std::uint8_t raw[] = {0, 255, 126};
  EXPECT_EQ(encode_bytes(raw), "\\x00ff7e");
  for (const char* text : {"", "00", "\\x0", "\\x0g", "0x00", "\\X00"}) {
    EXPECT_FALSE(decode_bytes(text, bytes)) << text;
  }
}

}  // namespace
}  // namespace tallyman
