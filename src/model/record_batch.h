// RecordBatch: the records of one piece as cells that point into the piece's bytes.
//
//   RecordReader reader(format, columns);
//   TALLY_TRY_ASSIGN(const auto batch, reader.read(piece, std::move(bytes)));
//   for (std::size_t i = 0; i < batch->size(); ++i) {
//     if (const RecordError* fault = batch->fault(i)) { ... continue; }
//     for (const Cell& cell : batch->record(i)) ...
//   }
//
// Columns: of CSV, the cells of the header in the order of the file; of NDJSON and JSON,
// the names that the reader was given (the resource's fields in catalogue order).
//
// Ownership: owns its cells and, with whoever asked for text(), its bytes: every Cell and
//            raw() lives as long as the batch; what cells point to, as long as text().
// Threads:   immutable once read: any number of threads may look at it.
// Memory:    the piece, 16 bytes a cell, 16 bytes a record; no allocation a record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/check.h"
#include "model/outcome.h"
#include "model/piece.h"

namespace tallyman {

enum class CellKind : std::uint8_t {
  kAbsent = 0,  // The record has no such field (JSON).
  kNull,        // JSON null; CSV: the unquoted null_value.
  kText,        // A JSON string, decoded; an unquoted CSV cell.
  kQuotedText,  // A quoted CSV cell, decoded. Never NULL.
  kNumber,      // A JSON number, its own digits.
  kTrue,        // JSON true.
  kFalse,       // JSON false.
  kJson,        // A JSON object or array, its own text.
};

struct Cell {
  const char* data = nullptr;
  std::uint32_t size = 0;  // Bytes.
  CellKind kind = CellKind::kAbsent;

  std::string_view text() const { return {data, size}; }
};
static_assert(sizeof(Cell) == 16);

// What the cells of a batch point into.
struct RecordText {
  std::unique_ptr<char[]> bytes;    // The piece, then kPadding zero bytes.
  std::unique_ptr<char[]> decoded;  // Text that had escapes; null where none had.
};

class RecordBatch {
 public:
  // Bytes that may be read (not used) past the end of the piece's buffer.
  static constexpr std::size_t kPadding = 64;

  std::size_t size() const { return raw_.size(); }
  std::size_t columns() const { return columns_; }
  const Piece& piece() const { return piece_; }
  // Keeps what the cells point to when the cells themselves are not needed any more.
  const std::shared_ptr<const RecordText>& text() const { return text_; }

  // REQUIRES: i < size(). All kAbsent for a record with a fault.
  std::span<const Cell> record(std::size_t i) const {
    return {cells_.data() + i * columns_, columns_};
  }

  // The record's original text, without its line end or comma. Of a kTooLarge piece: its
  // first record_bytes_max bytes (the whole is in the payload).
  std::string_view raw(std::size_t i) const { return raw_[i]; }

  // Why the record could not be read, or null.
  const RecordError* fault(std::size_t i) const {
    const auto found = faults_.find(i);
    return found == faults_.end() ? nullptr : &found->second;
  }
  bool has_faults() const { return !faults_.empty(); }

 private:
  friend class RecordReader;
  friend struct RecordBatchFill;  // The readers' way in (record_reader.cc and its parts).

  Piece piece_;
  std::size_t columns_ = 0;
  std::shared_ptr<const RecordText> text_;
  std::vector<Cell> cells_;  // size() * columns_, record by record.
  std::vector<std::string_view> raw_;
  std::unordered_map<std::size_t, RecordError> faults_;
};

}  // namespace tallyman
