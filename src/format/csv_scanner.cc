#include "format/csv_scanner.h"

#include <array>
#include <bit>

#include "base/check.h"

namespace tallyman {
namespace {

constexpr std::uint64_t kLastBit = std::uint64_t{1} << 63;

std::uint32_t* append_places(std::uint64_t mask, std::size_t offset,
                             std::uint32_t* places) {
  while (mask != 0) {
    *places++ = static_cast<std::uint32_t>(offset) +
                static_cast<std::uint32_t>(std::countr_zero(mask));
    mask &= mask - 1;
  }
  return places;
}

}  // namespace

CsvScanner::CsvScanner(char delimiter, Want want, SimdKernel kernel)
    : delimiter_(delimiter),
      delimiters_wanted_(want == Want::kSeparators ? ~std::uint64_t{0} : 0),
      masks_of_(csv_mask_function(kernel)) {
  CHECK(delimiter != '"' && delimiter != '\r' && delimiter != '\n');
}

std::size_t CsvScanner::scan(std::string_view batch, std::uint32_t* places) {
  CHECK(batch.size() <= kBatchBytes);
  std::array<CsvMasks, kBatchBytes / kBlockBytes> masks;
  const std::size_t blocks = batch.size() / kBlockBytes;
  masks_of_(batch.data(), blocks, delimiter_, masks.data());

  std::uint32_t* end = places;
  for (std::size_t block = 0; block < blocks; ++block) {
    std::uint64_t separators;
    if (!scan_block(masks[block], separators)) [[unlikely]] {
      separators = scan_bytes(batch.substr(block * kBlockBytes, kBlockBytes));
    }
    end = append_places(separators, block * kBlockBytes, end);
  }
  const std::size_t done = blocks * kBlockBytes;
  end = append_places(scan_bytes(batch.substr(done)), done, end);
  return static_cast<std::size_t>(end - places);
}

// Returns false, with nothing changed, where a quote of the block may be text or a cell
// of it may be broken.
inline bool CsvScanner::scan_block(const CsvMasks& masks, std::uint64_t& separators) {
  const std::uint64_t all = masks.delimiter | masks.line_end;
  if (state_ == CsvState::kBroken) return false;
  if (masks.quote == 0 && state_ != CsvState::kQuoteEnd) {
    if (state_ == CsvState::kQuoted) {
      separators = 0;
      return true;
    }
    separators = (masks.delimiter & delimiters_wanted_) | masks.line_end;
    state_ = (all & kLastBit) != 0 ? CsvState::kCellStart : CsvState::kText;
    return true;
  }

  // Taken to open and close in turn. The first quote that does not belong where it is
  // shows, since everything before it is then right.
  const std::uint64_t carry = state_ == CsvState::kQuoted ? ~std::uint64_t{0} : 0;
  const std::uint64_t inside = prefix_xor(masks.quote) ^ carry;
  const std::uint64_t outside_separators = all & ~inside;
  const std::uint64_t opening = masks.quote & inside;
  const std::uint64_t closing = masks.quote & ~inside;
  const std::uint64_t cell_starts =
      outside_separators << 1 | std::uint64_t{state_ == CsvState::kCellStart};
  const std::uint64_t behind_closing =
      closing << 1 | std::uint64_t{state_ == CsvState::kQuoteEnd};
  if ((opening & ~(cell_starts | behind_closing)) != 0 ||
      (behind_closing & ~(all | masks.quote)) != 0) {
    return false;
  }

  separators =
      outside_separators & ((masks.delimiter & delimiters_wanted_) | masks.line_end);
  if ((inside & kLastBit) != 0) {
    state_ = CsvState::kQuoted;
  } else if ((closing & kLastBit) != 0) {
    state_ = CsvState::kQuoteEnd;
  } else {
    state_ = (all & kLastBit) != 0 ? CsvState::kCellStart : CsvState::kText;
  }
  return true;
}

// At most 64 bytes. The bits are the separators that are wanted.
std::uint64_t CsvScanner::scan_bytes(std::string_view bytes) {
  std::uint64_t wanted = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bool separates;
    state_ = csv_step(state_, bytes[i], delimiter_, separates);
    const bool counts = separates && (bytes[i] != delimiter_ || delimiters_wanted_ != 0);
    wanted |= std::uint64_t{counts} << i;
  }
  return wanted;
}

}  // namespace tallyman
