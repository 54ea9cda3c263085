// CsvScanner: the places of the bytes that end cells and records of CSV.
//
//   CsvScanner scanner(',', CsvScanner::Want::kLineEnds);
//   std::uint32_t places[CsvScanner::kBatchBytes];
//   for (each part of at most kBatchBytes) {
//     const std::size_t count = scanner.scan(part, places);
//     ... part[places[i]] is a CR or LF outside quotes
//   }
//
// Goes through blocks of 64 bytes at once where the quotes of a block are where quotes
// belong, and byte by byte through the others and through what is left at the end of a
// part. Both give the same places and the same state, so parts may be cut anywhere.
//
// Threads: none of its own; one stream, one scanner. Memory: 1.5 KiB of the stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "format/block_masks.h"
#include "format/simd_kernel.h"

namespace tallyman {

enum class CsvState : std::uint8_t {
  kCellStart,  // A quote would open here.
  kText,       // In a cell without quotes.
  kQuoted,     // In quotes.
  kQuoteEnd,   // Behind a quote in quotes: the end of the cell, or the first of two.
  kBroken,     // Text came after a closing quote: to the next line end.
};

// The state behind `byte`. `separates`: whether it ended a cell or a record.
constexpr CsvState csv_step(CsvState state, char byte, char delimiter, bool& separates) {
  const bool line_end = byte == '\n' || byte == '\r';
  separates = false;
  if (state == CsvState::kQuoted) {
    return byte == '"' ? CsvState::kQuoteEnd : CsvState::kQuoted;
  }
  if (line_end || (byte == delimiter && state != CsvState::kBroken)) {
    separates = true;
    return CsvState::kCellStart;
  }
  switch (state) {
    case CsvState::kCellStart: return byte == '"' ? CsvState::kQuoted : CsvState::kText;
    case CsvState::kText: return CsvState::kText;
    case CsvState::kQuoteEnd: return byte == '"' ? CsvState::kQuoted : CsvState::kBroken;
    case CsvState::kQuoted:
    case CsvState::kBroken: return state;
  }
  return state;
}

class CsvScanner {
 public:
  static constexpr std::size_t kBatchBytes = 4096;

  enum class Want {
    kLineEnds,    // CR and LF outside quotes.
    kSeparators,  // Those, and the delimiters outside quotes.
  };

  // REQUIRES: delimiter is none of quote, CR, LF.
  CsvScanner(char delimiter, Want want, SimdKernel kernel = best_kernel());

  // Writes the places in `batch`, in order, and returns how many they are.
  // REQUIRES: batch.size() <= kBatchBytes; `places` has room for as many.
  std::size_t scan(std::string_view batch, std::uint32_t* places);

  CsvState state() const { return state_; }
  void reset() { state_ = CsvState::kCellStart; }

 private:
  bool scan_block(const CsvMasks& masks, std::uint64_t& separators);
  std::uint64_t scan_bytes(std::string_view bytes);

  char delimiter_;
  std::uint64_t delimiters_wanted_;  // All bits or none.
  CsvMaskFunction masks_of_;
  CsvState state_ = CsvState::kCellStart;
};

}  // namespace tallyman
