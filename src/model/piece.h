// Piece: a run of whole records in an upload. The index of an upload is its pieces in
// order: they cover every record, and any of them can be read by itself.
#pragma once

#include <cstdint>

namespace tallyman {

// The numbers are stored in the index: append, never renumber.
enum class PieceKind : std::uint8_t {
  kRecords = 0,        // Ordinary records.
  kTooLarge = 1,       // One record, longer than record_bytes_max: RECORD_TOO_LARGE.
  kUnclosedQuote = 2,  // One CSV record whose quote is never closed: MALFORMED_RECORD.
};

struct Piece {
  std::uint64_t offset = 0;        // Bytes from the start of the (decoded) upload.
  std::uint64_t length = 0;        // Bytes. At most piece_bytes_max, but for kTooLarge.
  std::uint64_t first_record = 0;  // 0-based: RecordNumber minus 1.
  std::uint32_t record_count = 0;  // At least 1.
  PieceKind kind = PieceKind::kRecords;

  friend bool operator==(const Piece&, const Piece&) = default;
};

}  // namespace tallyman
