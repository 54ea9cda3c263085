// CsvReader: the PieceReader of CSV (record_reader.h says what a bad record is).
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "format/csv_scanner.h"
#include "format/piece_reader.h"

namespace tallyman {

class CsvReader final : public PieceReader {
 public:
  // REQUIRES: `options` outlives the reader.
  explicit CsvReader(const RecordReader::Options& options);

  bool read(RecordBatchFill& fill) override;

 private:
  // Where in the piece we are; a copy in registers for the time of one batch of bytes.
  struct Position {
    const char* record;  // Its first byte.
    const char* cell;    // The first byte of the cell under way.
    Cell* row;
    std::size_t column;  // Of the cell under way; past the header's last one too.
  };

  bool read_separators(const char* batch, std::size_t count, Position& at,
                       RecordBatchFill& fill);
  void end_cell(const char* end, Position& at, RecordBatchFill& fill);
  void end_quoted_cell(std::string_view text, const Position& at, RecordBatchFill& fill);
  bool end_record(const char* end, Position& at, RecordBatchFill& fill);
  void check_text(std::string_view raw, std::size_t cells, RecordBatchFill& fill);

  const RecordReader::Options& options_;
  CsvScanner scanner_;
  std::array<std::uint32_t, CsvScanner::kBatchBytes>
      separators_;               // In the present batch.
  std::vector<Cell> spare_row_;  // Behind the last record that the piece says it holds.
  bool all_text_ = false;        // The whole piece is UTF-8 without NUL bytes.
  bool broken_ = false;          // A cell of the record under way is: the first of them.
  std::size_t broken_column_ = 0;
};

}  // namespace tallyman
