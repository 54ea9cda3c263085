// Block masks: where the bytes that matter stand in blocks of 64 bytes, one bit a byte.
//
// The only code that is written once per instruction set. What the bits mean is decided
// by CsvScanner and JsonScanner, for all kernels alike.
//
//   const CsvMaskFunction masks_of = csv_mask_function(best_kernel());
//   masks_of(bytes, 64, ',', masks);   // bytes[0, 64 * 64) -> masks[0, 64)
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/simd_kernel.h"

namespace tallyman {

inline constexpr std::size_t kBlockBytes = 64;

// Bit i of each mask is byte i of the block.
struct CsvMasks {
  std::uint64_t quote;
  std::uint64_t delimiter;
  std::uint64_t line_end;  // LF and CR.
};

struct JsonMasks {
  std::uint64_t quote;
  std::uint64_t backslash;
  std::uint64_t open;   // [ and {
  std::uint64_t close;  // ] and }
  std::uint64_t comma;
};

// Reads exactly blocks * kBlockBytes bytes, at any alignment.
using CsvMaskFunction = void (*)(const char* bytes, std::size_t blocks, char delimiter,
                                 CsvMasks* masks);
using JsonMaskFunction = void (*)(const char* bytes, std::size_t blocks,
                                  JsonMasks* masks);

// REQUIRES: the processor has the kernel.
CsvMaskFunction csv_mask_function(SimdKernel kernel);
JsonMaskFunction json_mask_function(SimdKernel kernel);

// Bit i: the number of set bits in mask[0, i] is odd.
constexpr std::uint64_t prefix_xor(std::uint64_t mask) {
  for (int shift = 1; shift < 64; shift *= 2) mask ^= mask << shift;
  return mask;
}

}  // namespace tallyman
