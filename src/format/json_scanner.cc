#include "format/json_scanner.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace tallyman {

void JsonScanner::reset() {
  depth_ = 0;
  in_string_ = 0;
  is_escaped_ = 0;
}

JsonScanner::Found JsonScanner::scan(std::string_view batch, std::uint32_t* commas) {
  CHECK(batch.size() <= kBatchBytes);
  std::array<JsonMasks, kBatchBytes / kBlockBytes> masks;
  const std::size_t blocks = batch.size() / kBlockBytes;
  masks_of_(batch.data(), blocks, masks.data());

  Found found;
  for (std::size_t block = 0; block < blocks; ++block) {
    if (!scan_block(masks[block], block * kBlockBytes, kBlockBytes, commas, found)) {
      return found;
    }
  }

  const std::size_t done = blocks * kBlockBytes;
  if (done < batch.size()) {
    // Zeros stand for nothing.
    std::array<char, kBlockBytes> last{};
    std::memcpy(last.data(), batch.data() + done, batch.size() - done);
    masks_of_(last.data(), 1, masks.data());
    if (!scan_block(masks[0], done, batch.size() - done, commas, found)) return found;
  }
  found.consumed = batch.size();
  return found;
}

// The bytes that stand behind a backslash which is not itself behind one.
std::uint64_t JsonScanner::escaped(std::uint64_t backslash) {
  std::uint64_t behind = is_escaped_;
  is_escaped_ = 0;
  backslash &= ~behind;
  while (backslash != 0) {
    const std::uint64_t first = backslash & (~backslash + 1);
    const std::uint64_t next = first << 1;
    if (next == 0) is_escaped_ = 1;
    behind |= next;
    backslash &= ~(first | next);
  }
  return behind;
}

// False when the bracket was closed. `bytes`: how many of the block's bytes there are;
// the masks are 0 from there on.
bool JsonScanner::scan_block(const JsonMasks& masks, std::size_t offset,
                             std::size_t bytes, std::uint32_t* commas, Found& found) {
  std::uint64_t quotes = masks.quote;
  if ((masks.backslash | is_escaped_) != 0) {
    const std::uint64_t behind = escaped(masks.backslash);
    quotes &= ~behind;
    if (bytes < kBlockBytes) is_escaped_ = behind >> bytes & 1;
  }
  const std::uint64_t in_string = prefix_xor(quotes) ^ in_string_;
  in_string_ = (in_string >> 63) != 0 ? ~std::uint64_t{0} : 0;

  const std::uint64_t open = masks.open & ~in_string;
  const std::uint64_t close = masks.close & ~in_string;
  const auto opened = static_cast<std::uint64_t>(std::popcount(open));
  const auto closed = static_cast<std::uint64_t>(std::popcount(close));
  if (depth_ > closed) {
    depth_ += opened - closed;
    return true;
  }

  std::uint64_t left = open | close | (masks.comma & ~in_string);
  for (; left != 0; left &= left - 1) {
    const std::uint64_t bit = left & (~left + 1);
    const std::size_t place = offset + static_cast<std::size_t>(std::countr_zero(left));
    if ((open & bit) != 0) {
      ++depth_;
    } else if ((close & bit) != 0) {
      if (depth_ == 0) {
        found.consumed = place + 1;
        found.closed = true;
        reset();
        return false;
      }
      --depth_;
    } else if (depth_ == 0) {
      commas[found.commas++] = static_cast<std::uint32_t>(place);
    }
  }
  return true;
}

}  // namespace tallyman
