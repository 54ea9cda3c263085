#include "payload/payload_chunk.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 7;
  for (char& byte : bytes) {
    byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  }
  return bytes;
}

bool decodes_to(const StoredChunk& stored, const std::string& bytes) {
  std::string into(bytes.size(), '?');
  return decode_chunk(static_cast<std::int64_t>(stored.form), stored.bytes, into) &&
         into == bytes;
}

TEST(PayloadChunk, ComesBackWhateverItsLength) {
  for (const std::size_t size : {1ul, 2ul, 1'000ul, kChunkBytesMax}) {
    EXPECT_TRUE(decodes_to(encode_chunk(noise(size)), noise(size))) << size;
    EXPECT_TRUE(decodes_to(encode_chunk(std::string(size, 'a')), std::string(size, 'a')))
        << size;
  }
}

TEST(PayloadChunk, IsCompressedOnlyWhereThatHelps) {
  const StoredChunk same = encode_chunk(std::string(kChunkBytesMax, 'a'));
  EXPECT_EQ(same.form, ChunkForm::kLz4);
  EXPECT_LT(same.bytes.size(), kChunkBytesMax / 100);
  EXPECT_EQ(encode_chunk(noise(kChunkBytesMax)).form, ChunkForm::kPlain);
  EXPECT_EQ(encode_chunk("a").form, ChunkForm::kPlain);
}

TEST(PayloadChunk, WhatIsCutOrOfAnotherLengthOrFormIsDamaged) {
  const std::string bytes = std::string(5'000, 'a') + noise(300);
  for (const StoredChunk& stored : {encode_chunk(bytes), encode_chunk(noise(100))}) {
    const std::size_t size = stored.form == ChunkForm::kLz4 ? bytes.size() : 100;
    const auto form = static_cast<std::int64_t>(stored.form);
    std::string into(size, '?');
    for (std::size_t cut = 0; cut < stored.bytes.size(); ++cut) {
      EXPECT_FALSE(decode_chunk(form, stored.bytes.substr(0, cut), into));
    }
    for (const std::size_t other : {size - 1, size + 1}) {
      std::string wrong(other, '?');
      EXPECT_FALSE(decode_chunk(form, stored.bytes, wrong));
    }
    EXPECT_FALSE(decode_chunk(2, stored.bytes, into));
    EXPECT_FALSE(decode_chunk(-1, stored.bytes, into));
  }
}

}  // namespace
}  // namespace tallyman
