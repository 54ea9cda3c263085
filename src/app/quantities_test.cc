#include "app/quantities.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(QuantitiesTest, ReadsSizes) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("512"), 512U);
  EXPECT_EQ(parse_size("512B"), 512U);
  EXPECT_EQ(parse_size("10KB"), 10'000U);
  EXPECT_EQ(parse_size("24MiB"), 24U << 20);
  EXPECT_EQ(parse_size("24 MiB"), 24U << 20);
  EXPECT_EQ(parse_size("3GiB"), 3ULL << 30);
  EXPECT_EQ(parse_size("2TB"), 2'000'000'000'000U);
}

TEST(QuantitiesTest, RefusesWhatIsNoSize) {
  for (const char* text : {"", "MiB", "-1", "1.5GiB", "24mib", "24 ", "24  MiB", "0x10",
                           "18446744073709551616", "16777216TiB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
  EXPECT_EQ(parse_size("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(parse_size("16777215TiB"), 16777215ULL << 40);
}

TEST(QuantitiesTest, ReadsTimes) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("10s"), seconds(10));
  EXPECT_EQ(parse_duration("5m"), seconds(300));
  EXPECT_EQ(parse_duration("24h"), seconds(86'400));
  EXPECT_EQ(parse_duration("7d"), seconds(7 * 86'400));
}

TEST(QuantitiesTest, RefusesATimeWithoutAUnitAndOneThatNeverEnds) {
  for (const char* text :
       {"", "10", "s", "1.5h", "-1s", "10 sec", "36601d", "99999999999999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_TRUE(parse_duration("36600d"));
}

TEST(QuantitiesTest, ShowsBytes) {
  EXPECT_EQ(show_bytes(0), "0 B");
  EXPECT_EQ(show_bytes(1'023), "1023 B");
  EXPECT_EQ(show_bytes(1'024), "1.0 KiB");
  EXPECT_EQ(show_bytes((1U << 20) - 1), "1.0 MiB");
  EXPECT_EQ(show_bytes(24U << 20), "24.0 MiB");
  EXPECT_EQ(show_bytes(10ULL << 30), "10.0 GiB");
}

TEST(QuantitiesTest, ShowsCounts) {
  EXPECT_EQ(show_count(0), "0");
  EXPECT_EQ(show_count(999), "999");
  EXPECT_EQ(show_count(1'000), "1,000");
  EXPECT_EQ(show_count(1'234'567), "1,234,567");
}

TEST(QuantitiesTest, ShowsTimes) {
  EXPECT_EQ(show_duration(seconds(0)), "0 s");
  EXPECT_EQ(show_duration(seconds(59)), "59 s");
  EXPECT_EQ(show_duration(seconds(200)), "3 min 20 s");
  EXPECT_EQ(show_duration(seconds(7'500)), "2 h 5 min");
  EXPECT_EQ(show_duration(seconds(90'000)), "1 d 1 h");
}

}  // namespace
}  // namespace tallyman
