#include "payload/payload_chunk.h"

#include <lz4.h>

#include <algorithm>

#include "base/check.h"

namespace tallyman {

StoredChunk encode_chunk(std::string_view bytes) {
  CHECK(!bytes.empty() && bytes.size() <= kChunkBytesMax);
  const int size = static_cast<int>(bytes.size());
  StoredChunk stored{.byte_count = bytes.size(), .form = ChunkForm::kLz4, .bytes = {}};
  stored.bytes.resize(static_cast<std::size_t>(LZ4_compressBound(size)));
  const int length = LZ4_compress_default(bytes.data(), stored.bytes.data(), size,
                                          static_cast<int>(stored.bytes.size()));
  CHECK(length > 0);
  if (length >= size) {
    stored.form = ChunkForm::kPlain;
    stored.bytes = bytes;
    return stored;
  }
  stored.bytes.resize(static_cast<std::size_t>(length));
  return stored;
}

bool decode_chunk(std::int64_t form, std::string_view bytes, std::span<char> into) {
  switch (form) {
    case static_cast<std::int64_t>(ChunkForm::kPlain):
      if (bytes.size() != into.size()) return false;
      std::copy(bytes.begin(), bytes.end(), into.begin());
      return true;
    case static_cast<std::int64_t>(ChunkForm::kLz4): {
      const auto size = static_cast<std::int64_t>(into.size());
      return LZ4_decompress_safe(bytes.data(), into.data(),
                                 static_cast<int>(bytes.size()),
                                 static_cast<int>(size)) == size;
    }
    default: return false;
  }
}

}  // namespace tallyman
