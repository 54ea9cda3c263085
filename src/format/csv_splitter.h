// CsvSplitter: the Splitter of CSV (splitter.h says what ends a record).
//
// Memory: the bytes of the record that is under way when a chunk ends: at most
// record_bytes_max. They are needed when its quote turns out not to be closed.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "format/base_splitter.h"
#include "format/csv_scanner.h"

namespace tallyman {

class CsvSplitter final : public BaseSplitter {
 public:
  CsvSplitter(char delimiter, const SplitLimits& limits)
      : CsvSplitter(delimiter, limits, PieceBuilder::Mark{}) {}

  static Result<std::unique_ptr<Splitter>> restore(char delimiter,
                                                   const SplitLimits& limits,
                                                   std::string_view checkpoint);
  std::string checkpoint() const override;

 private:
  CsvSplitter(char delimiter, const SplitLimits& limits, const PieceBuilder::Mark& mark);

  Result<void> consume(std::string_view bytes) override;
  Result<void> end() override;

  Result<void> consume_header(std::string_view& bytes);
  Result<void> read_header();
  void set_header(std::vector<std::string> header);
  Result<std::string_view> consume_records(std::string_view bytes);
  bool add_records(std::size_t line_ends);
  std::string_view skip_to_line_end(std::string_view bytes);
  Result<std::string_view> end_overlong_record(std::string_view bytes,
                                               std::uint64_t bytes_begin);
  Result<void> end_unclosed_record();
  Result<void> end_before_line_end(std::uint64_t line_end, PieceKind kind);

  const char delimiter_;
  CsvScanner scanner_;
  CsvState header_state_ = CsvState::kCellStart;
  std::size_t header_cells_ = 1;
  std::uint64_t record_begin_;  // Of the record under way; position_ when there is none.
  // The record under way, [record_begin_, position_), when a chunk has ended: the header
  // line too, but nothing while skipping_.
  std::string tail_;
  bool skipping_ = false;  // The record under way is too long: to its line end.
  std::uint32_t unclosed_quotes_;
  std::array<std::uint32_t, CsvScanner::kBatchBytes> line_ends_;  // In the present batch.
};

}  // namespace tallyman
