#include "base/uuid.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tallyman {
namespace {

// Fills with one byte.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint8_t byte) : byte_(byte) {}
  void fill(std::span<std::uint8_t> bytes) override {
    std::fill(bytes.begin(), bytes.end(), byte_);
  }

 private:
  std::uint8_t byte_;
};

constexpr std::string_view kText = "01234567-89ab-cdef-0123-456789abcdef";

TEST(Uuid, TextRoundTrips) {
  const auto uuid = Uuid::parse(kText);
  ASSERT_TRUE(uuid.has_value());
  EXPECT_EQ(uuid->to_string(), kText);
  EXPECT_EQ(uuid->bytes()[0], 0x01);
  EXPECT_EQ(uuid->bytes()[15], 0xEF);
  EXPECT_EQ(Uuid().to_string(), "00000000-0000-0000-0000-000000000000");
}

TEST(Uuid, TakesTheWrittenFormOnly) {
  EXPECT_FALSE(Uuid::parse(""));
  EXPECT_FALSE(Uuid::parse("01234567-89AB-cdef-0123-456789abcdef"));
  EXPECT_FALSE(Uuid::parse("{01234567-89ab-cdef-0123-456789abcdef}"));
  EXPECT_FALSE(Uuid::parse("0123456789abcdef0123456789abcdef"));
  // Every byte in turn: none of them may be anything else, none may be missing.
  for (std::size_t place = 0; place < kText.size(); ++place) {
    for (const char wrong : {'g', ' ', '\0', '-', '/', ':', '`', '\xFF'}) {
      std::string text(kText);
      if (text[place] == wrong) continue;
      text[place] = wrong;
      EXPECT_FALSE(Uuid::parse(text)) << place;
    }
    std::string shorter(kText);
    shorter.erase(place, 1);
    EXPECT_FALSE(Uuid::parse(shorter)) << place;
    std::string longer(kText);
    longer.insert(place, 1, '0');
    EXPECT_FALSE(Uuid::parse(longer)) << place;
  }
}

// RFC 9562, appendix A.6: the time of its example.
TEST(Uuid, Version7HasTheMillisecondsThenTheRandomBits) {
  FixedRandom ones(0xFF);
  FixedRandom zeros(0x00);
  const Timestamp now = from_micros(0x017F22E279B0 * 1000 + 999);
  EXPECT_EQ(Uuid::make_v7(now, ones).to_string(), "017f22e2-79b0-7fff-bfff-ffffffffffff");
  EXPECT_EQ(Uuid::make_v7(now, zeros).to_string(),
            "017f22e2-79b0-7000-8000-000000000000");
}

TEST(Uuid, MadeLaterSortsLater) {
  FixedRandom ones(0xFF);
  FixedRandom zeros(0x00);
  const Uuid earlier = Uuid::make_v7(from_micros(1'700'000'000'000'000), ones);
  const Uuid later = Uuid::make_v7(from_micros(1'700'000'000'001'000), zeros);
  EXPECT_LT(earlier, later);
  EXPECT_LT(earlier.to_string(), later.to_string());
}

TEST(Uuid, TheSystemsRandomBitsDiffer) {
  SystemRandom random;
  const Timestamp now = from_micros(0);
  EXPECT_NE(Uuid::make_v7(now, random), Uuid::make_v7(now, random));
}

}  // namespace
}  // namespace tallyman
