// A chunk: some bytes of an upload in the form in which a database keeps them, compressed
// (LZ4) where that makes them fewer.
//
//   const StoredChunk stored = encode_chunk(bytes);
//   if (!decode_chunk(stored.form, stored.bytes, into)) ...   // damaged
//
// Pure functions: safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tallyman {

// Of the upload. Longer chunks compress no better; a reader holds one or two.
inline constexpr std::size_t kChunkBytesMax = 1 << 20;

// Numbers that are stored: they never change.
enum class ChunkForm : std::int16_t { kPlain = 0, kLz4 = 1 };

struct StoredChunk {
  std::size_t byte_count = 0;  // Of the upload.
  ChunkForm form = ChunkForm::kPlain;
  std::string bytes;
};

// REQUIRES: 1 to kChunkBytesMax bytes.
StoredChunk encode_chunk(std::string_view bytes);

// Fills `into`, which is as long as the chunk was. False: these are not its bytes.
bool decode_chunk(std::int64_t form, std::string_view bytes, std::span<char> into);

}  // namespace tallyman
