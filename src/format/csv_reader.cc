#include "format/csv_reader.h"

#include <simdjson.h>

#include <cstring>

#include "format/csv_text.h"

namespace tallyman {
namespace {

bool has_nul(std::string_view text) {
  return std::memchr(text.data(), '\0', text.size()) != nullptr;
}

RecordError malformed(std::string message, std::string field = {}) {
  return {RecordErrorCode::kMalformedRecord, std::move(field), std::move(message)};
}

}  // namespace

CsvReader::CsvReader(const RecordReader::Options& options)
    : options_(options),
      scanner_(options.format.delimiter, CsvScanner::Want::kSeparators),
      spare_row_(options.columns.size()) {}

bool CsvReader::read(RecordBatchFill& fill) {
  const std::string_view bytes(fill.bytes(), fill.piece().length);
  all_text_ = simdjson::validate_utf8(bytes) && !has_nul(bytes);
  broken_ = false;
  scanner_.reset();

  Position at{bytes.data(), bytes.data(), fill.row(0), 0};
  for (std::size_t offset = 0; offset < bytes.size(); offset += CsvScanner::kBatchBytes) {
    const std::string_view batch = bytes.substr(offset, CsvScanner::kBatchBytes);
    const std::size_t count = scanner_.scan(batch, separators_.data());
    if (!read_separators(batch.data(), count, at, fill)) return false;
  }
  const char* const end = bytes.data() + bytes.size();
  if (at.record != end) {
    end_cell(end, at, fill);
    if (!end_record(end, at, fill)) return false;
  }
  return fill.size() == fill.piece().record_count;
}

// False when there are more records than the piece should hold.
bool CsvReader::read_separators(const char* batch, std::size_t count, Position& position,
                                RecordBatchFill& fill) {
  Position at = position;
  for (std::size_t i = 0; i < count; ++i) {
    const char* const place = batch + separators_[i];
    if (*place == options_.format.delimiter) {
      end_cell(place, at, fill);
      continue;
    }
    if (place == at.record) {
      at.record = at.cell = place + 1;
      continue;
    }
    end_cell(place, at, fill);
    if (!end_record(place, at, fill)) return false;
  }
  position = at;
  return true;
}

inline void CsvReader::end_cell(const char* end, Position& at, RecordBatchFill& fill) {
  const std::string_view text(at.cell, static_cast<std::size_t>(end - at.cell));
  at.cell = end + 1;
  if (at.column < options_.columns.size()) {
    Cell& cell = at.row[at.column];
    cell.data = text.data();
    cell.size = static_cast<std::uint32_t>(text.size());
    cell.kind = text == options_.format.null_value ? CellKind::kNull : CellKind::kText;
  }
  if (text.starts_with('"')) end_quoted_cell(text, at, fill);
  ++at.column;
}

void CsvReader::end_quoted_cell(std::string_view text, const Position& at,
                                RecordBatchFill& fill) {
  const auto inside = csv_inside(text);
  if (!inside) {
    if (!broken_) broken_column_ = at.column;
    broken_ = true;
    return;
  }
  if (at.column >= options_.columns.size()) return;
  std::string_view value = inside->text;
  if (inside->has_quotes) {
    char* const out = fill.decoded();
    value = fill.keep_decoded(csv_unescape(value, out));
  }
  at.row[at.column] = {.data = value.data(),
                       .size = static_cast<std::uint32_t>(value.size()),
                       .kind = CellKind::kQuotedText};
}

inline bool CsvReader::end_record(const char* end, Position& at, RecordBatchFill& fill) {
  if (fill.size() == fill.piece().record_count) return false;
  const std::size_t columns = options_.columns.size();
  const std::string_view raw(at.record, static_cast<std::size_t>(end - at.record));
  fill.add(raw);
  if (at.column != columns || broken_ || !all_text_) [[unlikely]] {
    check_text(raw, at.column, fill);
    broken_ = false;
  }
  const bool full = fill.size() == fill.piece().record_count;
  at = {end + 1, end + 1, full ? spare_row_.data() : at.row + columns, 0};
  return true;
}

// The last record that was added is bad, or may be.
void CsvReader::check_text(std::string_view raw, std::size_t cells,
                           RecordBatchFill& fill) {
  const std::size_t record = fill.size() - 1;
  if (!simdjson::validate_utf8(raw)) {
    fill.fail(record, malformed("the record is not UTF-8"));
  } else if (has_nul(raw)) {
    fill.fail(record, malformed("the record has a NUL byte"));
  } else if (broken_) {
    const bool known = broken_column_ < options_.columns.size();
    fill.fail(record,
              malformed("cell " + std::to_string(broken_column_ + 1) +
                            " has text behind its closing quote; a quote inside "
                            "quotes is written twice",
                        known ? options_.columns[broken_column_] : std::string()));
  } else if (cells != options_.columns.size()) {
    fill.fail(record, malformed(std::to_string(cells) + " cells, the header has " +
                                std::to_string(options_.columns.size())));
  }
}

}  // namespace tallyman
