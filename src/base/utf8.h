// UTF-8 (RFC 3629), byte by byte. Whole buffers are checked with SIMD in format/.
#pragma once

#include <cstddef>
#include <string_view>

namespace tallyman {

// The length in bytes (1 to 4) of the sequence at the start of `text`, or 0 where it is
// not one: overlong, a surrogate, past U+10FFFF, or cut off.
std::size_t utf8_sequence_length(std::string_view text);

// The number of code points. REQUIRES: `text` is valid UTF-8.
std::size_t utf8_length(std::string_view text);

}  // namespace tallyman
