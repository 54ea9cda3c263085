#include "base/time_text.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

std::optional<std::int64_t> micros(std::string_view text) {
  const auto time = parse_rfc3339(text);
  if (!time) return std::nullopt;
  return to_micros(*time);
}

TEST(TimeText, IsWrittenInUtcWithAFractionOnlyWhereThereIsOne) {
  EXPECT_EQ(to_rfc3339(from_micros(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(from_micros(1'705'314'600 * kSecond)), "2024-01-15T10:30:00Z");
  EXPECT_EQ(to_rfc3339(from_micros(1'705'314'600 * kSecond + 250'000)),
            "2024-01-15T10:30:00.250000Z");
  EXPECT_EQ(to_rfc3339(from_micros(1)), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(to_rfc3339(from_micros(-1)), "1969-12-31T23:59:59.999999Z");
}

TEST(TimeText, ReadsAnyOffset) {
  const std::int64_t expected = 1'705'314'600 * kSecond;
  for (const char* text :
       {"2024-01-15T10:30:00Z", "2024-01-15t10:30:00z", "2024-01-15 10:30:00Z",
        "2024-01-15T10:30:00+00:00", "2024-01-15T10:30:00-00:00",
        "2024-01-15T12:30:00+02:00", "2024-01-15T05:00:00-05:30",
        "2024-01-16T10:29:00+23:59", "2024-01-15T10:30:00.000Z"}) {
    EXPECT_EQ(micros(text), expected) << text;
  }
}

TEST(TimeText, ReadsFractionsOfAnyLengthToTheMicrosecond) {
  EXPECT_EQ(micros("1970-01-01T00:00:00.5Z"), 500'000);
  EXPECT_EQ(micros("1970-01-01T00:00:00.000001Z"), 1);
  EXPECT_EQ(micros("1970-01-01T00:00:00.1234569999999999999999Z"), 123'456);
}

TEST(TimeText, WhatIsWrittenReadsBack) {
  for (const std::int64_t time :
       {std::int64_t{0}, std::int64_t{-1}, 951'782'400 * kSecond, 4'102'444'799 * kSecond,
        1'705'314'600 * kSecond + 1, -62'135'596'800 * kSecond}) {
    EXPECT_EQ(micros(to_rfc3339(from_micros(time))), time);
  }
}

TEST(TimeText, RefusesWhatIsNoTime) {
  for (const char* text : {"",
                           "2024-01-15",
                           "2024-01-15T10:30:00",
                           "2024-01-15T10:30Z",
                           "2024-1-15T10:30:00Z",
                           "24-01-15T10:30:00Z",
                           "2024-01-15T10:30:00ZZ",
                           "2024-01-15T10:30:00.Z",
                           "2024-01-15T10:30:00.5",
                           "2024-01-15T10:30:00+0200",
                           "2024-01-15T10:30:00+2:00",
                           "2024-01-15T10:30:00+24:00",
                           "2024-01-15T10:30:00+02:60",
                           "2024-01-15T24:00:00Z",
                           "2024-01-15T10:60:00Z",
                           "2024-01-15T10:30:60Z",
                           "2024-02-30T10:30:00Z",
                           "2023-02-29T10:30:00Z",
                           "2024-13-01T10:30:00Z",
                           "2024-00-01T10:30:00Z",
                           "2024-01-00T10:30:00Z",
                           " 2024-01-15T10:30:00Z",
                           "2024-01-15T10:30:00Z ",
                           "-024-01-15T10:30:00Z",
                           "2024-01-15T1a:30:00Z",
                           "2024/01/15T10:30:00Z",
                           "1705314600"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(TimeText, KnowsTheCalendar) {
  EXPECT_TRUE(is_calendar_day(2024, 2, 29));
  EXPECT_FALSE(is_calendar_day(2023, 2, 29));
  EXPECT_FALSE(is_calendar_day(1900, 2, 29));
  EXPECT_TRUE(is_calendar_day(2000, 2, 29));
  EXPECT_TRUE(is_calendar_day(1, 1, 1));
  EXPECT_TRUE(is_calendar_day(9999, 12, 31));
  EXPECT_FALSE(is_calendar_day(2024, 4, 31));
  EXPECT_FALSE(is_calendar_day(2024, 0, 1));
  EXPECT_FALSE(is_calendar_day(2024, 13, 1));
  EXPECT_FALSE(is_calendar_day(2024, 1, 0));
  EXPECT_FALSE(is_calendar_day(2024, 1, 32));
  // Numbers that would wrap around in a byte.
  EXPECT_FALSE(is_calendar_day(2024, 257, 1));
  EXPECT_FALSE(is_calendar_day(2024, 1, 257));
  EXPECT_FALSE(is_calendar_day(2024, -255, 1));
}

}  // namespace
}  // namespace tallyman
