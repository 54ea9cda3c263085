// The form on disk of what is known about a payload: its state (rewritten at each
// checkpoint) and its index (which only grows).
//
//   state   bytes  0..7   "tally-p1"
//                  8..15  1 where sealed, else 0
//                 16..23  offset: bytes of the payload
//                 24..31  entries of the index
//                 32..39  records in them
//                 40..55  digest of the index
//                 56..63  length of the splitter's state, which follows
//           the last 16:  digest of all the bytes before (BLAKE2b, 128 bits)
//
//   index   32 bytes an entry: offset, length, first record (8 bytes each), record count
//           (4), kind (1), three zeros
//
// Numbers are little-endian. The digest of an empty index is zero; an entry makes it the
// BLAKE2b of the digest so far and the entry, so that it grows with the index.
//
// Pure functions: safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/piece.h"

namespace tallyman {

using PayloadDigest = std::array<char, 16>;

struct PayloadState {
  bool sealed = false;
  std::uint64_t offset = 0;
  std::uint64_t piece_count = 0;
  std::uint64_t record_count = 0;
  PayloadDigest index_digest{};
  std::string splitter_state;

  friend bool operator==(const PayloadState&, const PayloadState&) = default;
};

std::string encode_state(const PayloadState& state);
// Nothing where a byte is missing, changed or too many.
std::optional<PayloadState> decode_state(std::string_view bytes);

inline constexpr std::size_t kIndexEntryBytes = 32;

// Appends the piece's entry to `entries` and counts it in `state`.
void append_entry(const Piece& piece, std::string& entries, PayloadState& state);

// The pieces of `entries`. Nothing unless they are what `state` counted.
std::optional<std::vector<Piece>> decode_index(std::string_view entries,
                                               const PayloadState& state);

}  // namespace tallyman
