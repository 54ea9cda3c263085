// JsonScanner: the places of the commas between the values of one JSON array or object.
//
//   JsonScanner scanner;   // stands behind the opening bracket
//   std::uint32_t commas[JsonScanner::kBatchBytes];
//   const auto found = scanner.scan(part, commas);
//   ... part[commas[i]] is a comma outside strings and inner brackets
//   if (found.closed) ... part[found.consumed - 1] is the closing bracket
//
// It counts brackets and follows strings, and knows no more of JSON: [ and { open, ] and
// } close, whichever; a backslash takes its meaning from the quote or backslash behind
// it, in strings and out of them (as simdjson has it). So a value that does not parse
// ends where its brackets balance.
//
// Threads: none of its own; one stream, one scanner. Memory: 2.5 KiB of the stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "format/block_masks.h"
#include "format/simd_kernel.h"

namespace tallyman {

class JsonScanner {
 public:
  static constexpr std::size_t kBatchBytes = 4096;

  struct Found {
    std::size_t commas = 0;
    std::size_t consumed = 0;  // Bytes: all of them, unless closed.
    bool closed = false;       // The bracket was closed; the scanner is as new.
  };

  explicit JsonScanner(SimdKernel kernel = best_kernel())
      : masks_of_(json_mask_function(kernel)) {}

  // REQUIRES: batch.size() <= kBatchBytes; `commas` has room for as many.
  Found scan(std::string_view batch, std::uint32_t* commas);

  void reset();

 private:
  bool scan_block(const JsonMasks& masks, std::size_t offset, std::size_t bytes,
                  std::uint32_t* commas, Found& found);
  std::uint64_t escaped(std::uint64_t backslash);

  JsonMaskFunction masks_of_;
  std::uint64_t depth_ = 0;       // Of brackets inside the one we are in.
  std::uint64_t in_string_ = 0;   // All bits or none.
  std::uint64_t is_escaped_ = 0;  // 1: the next byte stands behind a backslash.
};

}  // namespace tallyman
