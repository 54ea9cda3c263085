// JsonReader: the PieceReader of NDJSON and JSON (record_reader.h says what a bad record
// is).
//
// First it finds the records: the lines, or the elements as the splitter found them. Then
// the tokens of the whole piece at once; only where that fails, because some record is
// not UTF-8 or its strings are wrong, record by record. A string cannot go past the end
// of its record without such a fault, so both ways find the same tokens.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/json_cursor.h"
#include "format/json_scanner.h"
#include "format/json_tokens.h"
#include "format/piece_reader.h"

namespace tallyman {

class JsonReader final : public PieceReader {
 public:
  // REQUIRES: `options` outlives the reader.
  explicit JsonReader(const RecordReader::Options& options);

  bool read(RecordBatchFill& fill) override;

 private:
  bool find_lines(RecordBatchFill& fill);
  bool find_elements(RecordBatchFill& fill);
  void read_records(std::span<const std::uint32_t> places, RecordBatchFill& fill);
  void read_one_by_one(RecordBatchFill& fill);

  void read_record(JsonCursor cursor, std::size_t record, RecordBatchFill& fill);
  std::optional<RecordError> read_object(JsonCursor& cursor, std::size_t record,
                                         RecordBatchFill& fill);
  std::optional<RecordError> read_scalar(JsonCursor& cursor, std::size_t record,
                                         RecordBatchFill& fill);
  bool read_value(JsonCursor& cursor, std::size_t depth, Cell& cell,
                  RecordBatchFill& fill);
  bool read_string(JsonCursor& cursor, Cell& cell, RecordBatchFill& fill);

  int find_column(std::string_view key, std::size_t place);
  RecordError unknown_field(std::string_view key);

  const RecordReader::Options& options_;
  const std::unordered_map<std::string_view, int> columns_;
  JsonScanner scanner_;
  JsonTokens tokens_;
  std::vector<int> columns_seen_;       // The column that the i-th key named last time.
  std::string key_;                     // Decoded.
  std::optional<RecordError> unknown_;  // The last one: an upload repeats its mistakes.
  std::array<std::uint32_t, JsonScanner::kBatchBytes> commas_;  // In the present batch.
};

}  // namespace tallyman
