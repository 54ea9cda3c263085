#include "format/block_masks.h"

#include "base/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tallyman {
namespace {

// '[' and '{', and ']' and '}', differ in this bit alone, which no other byte pair shares
// with them.
constexpr char kBracketBit = 0x20;

void csv_masks_scalar(const char* bytes, std::size_t blocks, char delimiter,
                      CsvMasks* masks) {
  for (std::size_t block = 0; block < blocks; ++block, bytes += kBlockBytes) {
    CsvMasks found{};
    for (std::size_t i = 0; i < kBlockBytes; ++i) {
      const char byte = bytes[i];
      found.quote |= std::uint64_t{byte == '"'} << i;
      found.delimiter |= std::uint64_t{byte == delimiter} << i;
      found.line_end |= std::uint64_t{byte == '\n' || byte == '\r'} << i;
    }
    masks[block] = found;
  }
}

void json_masks_scalar(const char* bytes, std::size_t blocks, JsonMasks* masks) {
  for (std::size_t block = 0; block < blocks; ++block, bytes += kBlockBytes) {
    JsonMasks found{};
    for (std::size_t i = 0; i < kBlockBytes; ++i) {
      const char byte = bytes[i];
      found.quote |= std::uint64_t{byte == '"'} << i;
      found.backslash |= std::uint64_t{byte == '\\'} << i;
      found.open |= std::uint64_t{byte == '[' || byte == '{'} << i;
      found.close |= std::uint64_t{byte == ']' || byte == '}'} << i;
      found.comma |= std::uint64_t{byte == ','} << i;
    }
    masks[block] = found;
  }
}

#if defined(__x86_64__)

// A block as the registers of one instruction set. Bodies of the same text: a template
// over them would have to carry the target attribute to every function it calls.

struct Sse2Block {
  __m128i part[4];

  __attribute__((target("sse2"))) explicit Sse2Block(const char* bytes) {
    for (int i = 0; i < 4; ++i) {
      part[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * i));
    }
  }
  __attribute__((target("sse2"))) void set_bits(char bits) {
    for (auto& value : part) value = _mm_or_si128(value, _mm_set1_epi8(bits));
  }
  __attribute__((target("sse2"))) std::uint64_t equal(char byte) const {
    std::uint64_t mask = 0;
    for (int i = 0; i < 4; ++i) {
      const int bits = _mm_movemask_epi8(_mm_cmpeq_epi8(part[i], _mm_set1_epi8(byte)));
      mask |= std::uint64_t{static_cast<std::uint32_t>(bits)} << (16 * i);
    }
    return mask;
  }
};

struct Avx2Block {
  __m256i part[2];

  __attribute__((target("avx2"))) explicit Avx2Block(const char* bytes) {
    part[0] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    part[1] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + 32));
  }
  __attribute__((target("avx2"))) void set_bits(char bits) {
    for (auto& value : part) value = _mm256_or_si256(value, _mm256_set1_epi8(bits));
  }
  __attribute__((target("avx2"))) std::uint64_t equal(char byte) const {
    const __m256i wanted = _mm256_set1_epi8(byte);
    const int low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(part[0], wanted));
    const int high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(part[1], wanted));
    return std::uint64_t{static_cast<std::uint32_t>(low)} |
           std::uint64_t{static_cast<std::uint32_t>(high)} << 32;
  }
};

struct Avx512Block {
  __m512i part;

  __attribute__((target("avx512f,avx512bw"))) explicit Avx512Block(const char* bytes)
      : part(_mm512_loadu_si512(bytes)) {}
  __attribute__((target("avx512f,avx512bw"))) void set_bits(char bits) {
    part = _mm512_or_si512(part, _mm512_set1_epi8(bits));
  }
  __attribute__((target("avx512f,avx512bw"))) std::uint64_t equal(char byte) const {
    return _mm512_cmpeq_epi8_mask(part, _mm512_set1_epi8(byte));
  }
};

#define TALLY_MASK_FUNCTIONS(suffix, target_name, Block)                        \
  __attribute__((target(target_name))) void csv_masks_##suffix(                 \
      const char* bytes, std::size_t blocks, char delimiter, CsvMasks* masks) { \
    for (std::size_t i = 0; i < blocks; ++i, bytes += kBlockBytes) {            \
      const Block block(bytes);                                                 \
      masks[i] = {.quote = block.equal('"'),                                    \
                  .delimiter = block.equal(delimiter),                          \
                  .line_end = block.equal('\n') | block.equal('\r')};           \
    }                                                                           \
  }                                                                             \
  __attribute__((target(target_name))) void json_masks_##suffix(                \
      const char* bytes, std::size_t blocks, JsonMasks* masks) {                \
    for (std::size_t i = 0; i < blocks; ++i, bytes += kBlockBytes) {            \
      Block block(bytes);                                                       \
      masks[i].quote = block.equal('"');                                        \
      masks[i].backslash = block.equal('\\');                                   \
      masks[i].comma = block.equal(',');                                        \
      block.set_bits(kBracketBit);                                              \
      masks[i].open = block.equal('{');                                         \
      masks[i].close = block.equal('}');                                        \
    }                                                                           \
  }

TALLY_MASK_FUNCTIONS(sse2, "sse2", Sse2Block)
TALLY_MASK_FUNCTIONS(avx2, "avx2", Avx2Block)
TALLY_MASK_FUNCTIONS(avx512, "avx512f,avx512bw", Avx512Block)
#undef TALLY_MASK_FUNCTIONS

#endif

}  // namespace

CsvMaskFunction csv_mask_function(SimdKernel kernel) {
  switch (kernel) {
    case SimdKernel::kScalar: return csv_masks_scalar;
#if defined(__x86_64__)
    case SimdKernel::kSse2: return csv_masks_sse2;
    case SimdKernel::kAvx2: return csv_masks_avx2;
    case SimdKernel::kAvx512: return csv_masks_avx512;
#else
    default: break;
#endif
  }
  CHECK(false);
}

JsonMaskFunction json_mask_function(SimdKernel kernel) {
  switch (kernel) {
    case SimdKernel::kScalar: return json_masks_scalar;
#if defined(__x86_64__)
    case SimdKernel::kSse2: return json_masks_sse2;
    case SimdKernel::kAvx2: return json_masks_avx2;
    case SimdKernel::kAvx512: return json_masks_avx512;
#else
    default: break;
#endif
  }
  CHECK(false);
}

}  // namespace tallyman
