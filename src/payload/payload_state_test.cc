#include "payload/payload_state.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

PayloadState example() {
  PayloadState state;
  state.sealed = true;
  state.offset = 0x0123456789ABCDEF;
  state.splitter_state = std::string("csv \0 1", 7);
  std::string entries;
  append_entry({1, 2, 3, 4, PieceKind::kTooLarge}, entries, state);
  return state;
}

TEST(PayloadState, ReadsBackWhatWasWritten) {
  EXPECT_EQ(decode_state(encode_state(PayloadState{})), PayloadState{});
  EXPECT_EQ(decode_state(encode_state(example())), example());
}

// The form is a promise to files that are already there.
TEST(PayloadState, HasTheFormThatItsHeaderSays) {
  const std::string bytes = encode_state(example());
  ASSERT_EQ(bytes.size(), 64u + 7 + 16);
  EXPECT_EQ(bytes.substr(0, 8), "tally-p1");
  EXPECT_EQ(bytes.substr(8, 8), std::string("\1\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(bytes.substr(16, 8), "\xEF\xCD\xAB\x89\x67\x45\x23\x01");
  EXPECT_EQ(bytes.substr(24, 8), std::string("\1\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(bytes.substr(32, 8), std::string("\4\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(bytes.substr(56, 8), std::string("\7\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(bytes.substr(64, 7), example().splitter_state);

  PayloadState state;
  std::string entries;
  append_entry({1, 2, 3, 4, PieceKind::kUnclosedQuote}, entries, state);
  EXPECT_EQ(entries, std::string("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
                                 "\3\0\0\0\0\0\0\0\4\0\0\0\2\0\0\0",
                                 32));
}

TEST(PayloadState, NoByteCanBeMissingChangedOrTooMany) {
  const std::string bytes = encode_state(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode_state(bytes.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(decode_state(bytes + '\0'), std::nullopt);
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[place] = static_cast<char>(changed[place] ^ (1 << bit));
      EXPECT_EQ(decode_state(changed), std::nullopt) << place;
    }
  }
}

class PayloadIndex : public testing::Test {
 protected:
  PayloadIndex() {
    for (const Piece& piece : pieces_) append_entry(piece, entries_, state_);
  }

  const std::vector<Piece> pieces_ = {{0, 100, 0, 7, PieceKind::kRecords},
                                      {100, ~0ull, 7, 1, PieceKind::kTooLarge},
                                      {1ull << 40, 5, 8, ~0u, PieceKind::kUnclosedQuote}};
  PayloadState state_;
  std::string entries_;
};

TEST_F(PayloadIndex, ReadsBackWhatWasAppended) {
  EXPECT_EQ(state_.piece_count, 3u);
  EXPECT_EQ(state_.record_count, 8ull + ~0u);
  EXPECT_EQ(entries_.size(), 3 * kIndexEntryBytes);
  EXPECT_EQ(decode_index(entries_, state_), pieces_);
  EXPECT_EQ(decode_index("", PayloadState{}), std::vector<Piece>());
}

TEST_F(PayloadIndex, NoByteCanBeMissingChangedOrTooMany) {
  for (std::size_t size = 0; size < entries_.size(); ++size) {
    EXPECT_EQ(decode_index(entries_.substr(0, size), state_), std::nullopt) << size;
  }
  EXPECT_EQ(decode_index(entries_ + std::string(32, '\0'), state_), std::nullopt);
  for (std::size_t place = 0; place < entries_.size(); ++place) {
    std::string changed = entries_;
    changed[place] = static_cast<char>(changed[place] ^ 1);
    EXPECT_EQ(decode_index(changed, state_), std::nullopt) << place;
  }
}

TEST_F(PayloadIndex, TheOrderCounts) {
  const std::string swapped =
      entries_.substr(32, 32) + entries_.substr(0, 32) + entries_.substr(64);
  EXPECT_EQ(decode_index(swapped, state_), std::nullopt);
}

}  // namespace
}  // namespace tallyman
