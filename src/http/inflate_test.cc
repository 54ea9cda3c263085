#include "http/inflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "http/bodies.h"

namespace tallyman::http {
namespace {

std::string gzip(std::string_view text, int level = 6) {
  z_stream state{};
  EXPECT_EQ(
      deflateInit2(&state, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
      Z_OK);
  std::string packed(deflateBound(&state, text.size()) + 32, '\0');
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  state.avail_in = static_cast<uInt>(text.size());
  state.next_out = reinterpret_cast<Bytef*>(packed.data());
  state.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&state, Z_FINISH), Z_STREAM_END);
  packed.resize(state.total_out);
  deflateEnd(&state);
  return packed;
}

Result<std::string> unpack(std::string packed, InflateLimits limits = {},
                           std::size_t piece = std::string::npos,
                           std::size_t buffer_bytes = 4096) {
  const auto body = inflate(body_of(std::move(packed), piece), limits);
  std::string text;
  std::vector<char> buffer(buffer_bytes);
  while (true) {
    TALLY_TRY_ASSIGN(const std::size_t count, body->read(buffer));
    if (count == 0) return text;
    text.append(buffer.data(), count);
  }
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 300; ++i) text += std::to_string(i * 7919) + ",row\n";
  return text;
}

TEST(InflateTest, GivesTheSameBytesForEveryCutAndBuffer) {
  const std::string text = sample();
  const std::string packed = gzip(text);
  for (std::size_t piece = 1; piece <= packed.size(); piece += piece < 40 ? 1 : 97) {
    for (const std::size_t buffer : {1, 7, 4096}) {
      const auto got = unpack(packed, {}, piece, buffer);
      ASSERT_TRUE(got.ok()) << got.error().message;
      EXPECT_EQ(got.value(), text);
    }
  }
}

TEST(InflateTest, ReadsMembersOneAfterTheOther) {
  const std::string packed = gzip("one,") + gzip("") + gzip("two,") + gzip("three");
  for (std::size_t piece = 1; piece <= packed.size(); ++piece) {
    for (const std::size_t buffer : {1, 4, 4096}) {
      const auto got = unpack(packed, {}, piece, buffer);
      ASSERT_TRUE(got.ok()) << got.error().message;
      EXPECT_EQ(got.value(), "one,two,three");
    }
  }
}

TEST(InflateTest, ReadsAnEmptyMember) { EXPECT_EQ(unpack(gzip("")).value(), ""); }

TEST(InflateTest, RefusesABodyCutAnywhere) {
  const std::string first = gzip("first member");
  const std::string packed = first + gzip("the second");
  for (std::size_t size = 0; size < packed.size(); ++size) {
    for (const std::size_t buffer : {1, 4096}) {
      const auto got = unpack(packed.substr(0, size), {}, 5, buffer);
      if (size == first.size()) {
        EXPECT_TRUE(got.ok()) << "a whole member is a whole body";
        continue;
      }
      ASSERT_FALSE(got.ok()) << size;
      EXPECT_EQ(got.error().code, ErrorCode::kUnreadable);
    }
  }
}

TEST(InflateTest, RefusesWhatIsNotGzip) {
  EXPECT_EQ(unpack("id,name\n1,a\n").error().code, ErrorCode::kUnreadable);
  EXPECT_EQ(unpack("").error().code, ErrorCode::kUnreadable);
  const auto tail = unpack(gzip("a") + "tail that is no gzip");
  EXPECT_EQ(tail.error().code, ErrorCode::kUnreadable);
  EXPECT_NE(tail.error().message.find("follows its last member"), std::string::npos);
}

TEST(InflateTest, NoticesEveryDamagedByteOfDataOrChecksum) {
  const std::string text = sample();
  const std::string packed = gzip(text);
  constexpr std::size_t kHeaderBytes = 10;
  for (std::size_t at = kHeaderBytes; at < packed.size(); ++at) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const auto got = unpack(damaged);
    ASSERT_FALSE(got.ok()) << at;
    EXPECT_EQ(got.error().code, ErrorCode::kUnreadable);
  }
}

TEST(InflateTest, StopsAtTheMostThatMayComeOut) {
  const std::string packed = gzip(std::string(10'000, 'a'));
  EXPECT_TRUE(unpack(packed, {.expanded_bytes_max = 10'000}).ok());
  const auto above = unpack(packed, {.expanded_bytes_max = 9'999});
  ASSERT_FALSE(above.ok());
  EXPECT_EQ(above.error().code, ErrorCode::kTooLarge);
  EXPECT_NE(above.error().message.find("9999"), std::string::npos);
}

TEST(InflateTest, StopsAtTheMostThatMayComeIn) {
  std::string members;
  while (members.size() < 10'000) members += gzip("");
  const auto got = unpack(members, {.expanded_bytes_max = 1'000});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(unpack(members, {.expanded_bytes_max = 10'000}).ok());
}

TEST(InflateTest, StopsABombByItsRatio) {
  const std::string bomb = gzip(std::string(std::size_t{32} << 20, '\0'), 9);
  ASSERT_LT(bomb.size(), std::size_t{64} << 10);
  const auto got = unpack(bomb);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kTooLarge);
  EXPECT_NE(got.error().message.find("expansion_ratio_max"), std::string::npos);
  EXPECT_EQ(unpack(gzip(bomb)).value(), bomb) << "a bomb inside is only bytes";
}

TEST(InflateTest, JudgesTheRatioOverAllMembersAndNotBeforeItsFreeBytes) {
  const std::string member = gzip(std::string(100'000, 'a'));
  const InflateLimits limits{.expansion_ratio_max = 10,
                             .expansion_ratio_free_bytes = 100'000};
  EXPECT_TRUE(unpack(member, limits).ok());
  EXPECT_EQ(unpack(member + member, limits).error().code, ErrorCode::kTooLarge);
}

TEST(InflateTest, GivesItsErrorAgain) {
  const auto body = inflate(body_of("not gzip"), {});
  std::array<char, 16> buffer;
  EXPECT_FALSE(body->read(buffer).ok());
  EXPECT_EQ(body->read(buffer).error().code, ErrorCode::kUnreadable);
}

}  // namespace
}  // namespace tallyman::http
