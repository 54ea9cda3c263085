#include "service/result_writer.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/json_writer.h"
#include "base/utf8.h"
#include "format/csv_writer.h"

namespace tallyman {
namespace {

// A multiple of 3, so that chunks of base64 join without padding.
constexpr std::size_t kChunkBytes = 192 << 10;

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void append_number(std::string& out, std::int64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

bool is_null(const Cell& cell) {
  return cell.kind == CellKind::kNull || cell.kind == CellKind::kAbsent;
}

std::string_view cell_text(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::kAbsent:
    case CellKind::kNull: return {};
    case CellKind::kTrue: return "true";
    case CellKind::kFalse: return "false";
    case CellKind::kText:
    case CellKind::kQuotedText:
    case CellKind::kNumber:
    case CellKind::kJson: return cell.text();
  }
  return {};
}

// Hands the whole text of a record out, however long it is.
template <class TakeChunk>
Result<void> for_each_chunk(const RecordWithOutcome& row, PayloadReader& payload,
                            TakeChunk take) {
  const Piece& piece = row.batch->piece();
  if (piece.kind != PieceKind::kTooLarge) return take(row.batch->raw(row.index));
  std::vector<char> buffer(kChunkBytes);
  for (std::uint64_t done = 0; done < piece.length;) {
    const std::size_t length =
        std::min<std::uint64_t>(buffer.size(), piece.length - done);
    TALLY_TRY(payload.read(piece.offset + done, {buffer.data(), length}));
    TALLY_TRY(take(std::string_view(buffer.data(), length)));
    done += length;
  }
  return {};
}

class CsvResultWriter final : public ResultWriter {
 public:
  CsvResultWriter(const Job& job, std::vector<std::string> columns, bool safe)
      : columns_(std::move(columns)),
        from_csv_(job.options.format.type == ContentType::kCsv),
        delimiter_(from_csv_ ? job.options.format.delimiter : ','),
        has_parent_(job.parent.has_value()),
        safe_(safe) {}

  void begin(std::string& out) override {
    for (const char* name :
         {"_record", "_outcome", "_id", "_error_code", "_error_field", "_error"}) {
      if (std::string_view(name) != "_record") out += delimiter_;
      out += name;
    }
    if (has_parent_) add_cell(out, "_parent_record");
    for (const std::string& column : columns_) add_cell(out, column);
    if (!from_csv_) add_cell(out, "_original");
    out += '\n';
  }

  Result<void> row(const ResultRow& row, PayloadReader& payload, std::string& out,
                   const TextSink& sink) override {
    append_number(out, row.record.record.value());
    out += delimiter_;
    out += name(row.record.outcome);
    add_cell(out, result_id(row.record));
    if (row.record.error) {
      add_cell(out, name(row.record.error->code));
      add_cell(out, row.record.error->field);
      add_cell(out, row.record.error->message);
    } else {
      out.append(3, delimiter_);
    }
    if (has_parent_) {
      out += delimiter_;
      if (row.parent_record) append_number(out, row.parent_record->value());
    }
    TALLY_TRY(from_csv_ ? csv_record(row, payload, out, sink)
                        : json_record(row, payload, out, sink));
    out += '\n';
    return {};
  }

  void end(std::string&) override {}

 private:
  void add_cell(std::string& out, std::string_view text) {
    out += delimiter_;
    if (safe_) {
      append_csv_cell_safe(out, text, delimiter_);
    } else {
      append_csv_cell(out, text, delimiter_);
    }
  }

  void add_value(std::string& out, const Cell& cell) {
    if (!is_null(cell) && cell_text(cell).empty()) {
      out += delimiter_;
      out += "\"\"";
      return;
    }
    add_cell(out, cell_text(cell));
  }

  Result<void> csv_record(const ResultRow& row, PayloadReader& payload, std::string& out,
                          const TextSink& sink) {
    if (row.record.batch->fault(row.record.index)) {
      TALLY_TRY(original_cell(row, payload, out, sink));
      out.append(columns_.size() - 1, delimiter_);
      return {};
    }
    if (!safe_) {
      out += delimiter_;
      out += row.record.batch->raw(row.record.index);
      return {};
    }
    for (const Cell& cell : row.record.batch->record(row.record.index))
      add_value(out, cell);
    return {};
  }

  Result<void> json_record(const ResultRow& row, PayloadReader& payload, std::string& out,
                           const TextSink& sink) {
    for (const Cell& cell : row.record.batch->record(row.record.index))
      add_value(out, cell);
    return original_cell(row, payload, out, sink);
  }

  Result<void> original_cell(const ResultRow& row, PayloadReader& payload,
                             std::string& out, const TextSink& sink) {
    const bool whole = row.record.batch->piece().kind != PieceKind::kTooLarge;
    if (safe_ && whole) {
      add_cell(out, row.record.batch->raw(row.record.index));
      return {};
    }
    out += delimiter_;
    return quoted_original(row, payload, out, sink);
  }

  // The whole text in one quoted cell.
  Result<void> quoted_original(const ResultRow& row, PayloadReader& payload,
                               std::string& out, const TextSink& sink) {
    if (row.record.batch->piece().kind != PieceKind::kTooLarge) {
      append_csv_quoted(out, row.record.batch->raw(row.record.index));
      return {};
    }
    out += '"';
    // Its first byte decides: the rest is not all in memory.
    const std::string_view raw = row.record.batch->raw(row.record.index);
    if (safe_ && is_formula(raw.substr(0, 1))) out += '\'';
    TALLY_TRY(for_each_chunk(row.record, payload, [&](std::string_view chunk) {
      for (const char byte : chunk) {
        if (byte == '"') out += '"';
        out += byte;
      }
      const Result<void> sent = sink(out);
      out.clear();
      return sent;
    }));
    out += '"';
    return {};
  }

  std::vector<std::string> columns_;
  bool from_csv_;
  char delimiter_;
  bool has_parent_;
  bool safe_;
};

class JsonResultWriter final : public ResultWriter {
 public:
  JsonResultWriter(const Job& job, std::vector<std::string> columns, bool as_array)
      : columns_(std::move(columns)),
        from_csv_(job.options.format.type == ContentType::kCsv),
        has_parent_(job.parent.has_value()),
        as_array_(as_array) {}

  void begin(std::string& out) override {
    if (as_array_) out += '[';
  }

  Result<void> row(const ResultRow& row, PayloadReader& payload, std::string& out,
                   const TextSink& sink) override {
    if (as_array_) out += first_ ? "\n" : ",\n";
    first_ = false;
    JsonWriter json(out);
    json.begin_object();
    json.key("_record").integer(row.record.record.value());
    json.key("_outcome").text(name(row.record.outcome));
    add_id(json.key("_id"), row);
    add_error(json, row);
    if (has_parent_ && row.parent_record) {
      json.key("_parent_record").integer(row.parent_record->value());
    }
    const bool unreadable = row.record.batch->fault(row.record.index) != nullptr;
    if (!unreadable) add_fields(json, row);
    if (unreadable || !from_csv_) TALLY_TRY(add_original(json, row, payload, out, sink));
    json.end_object();
    if (!as_array_) out += '\n';
    return {};
  }

  void end(std::string& out) override {
    if (as_array_) out += "\n]\n";
  }

 private:
  static void add_id(JsonWriter& json, const ResultRow& row) {
    const std::string id = result_id(row.record);
    if (id.empty()) {
      json.null();
    } else if (row.record.unit->ids.kind == RowIdKind::kInteger) {
      json.raw(id);
    } else {
      json.text(id);
    }
  }

  static void add_error(JsonWriter& json, const ResultRow& row) {
    if (!row.record.error) {
      json.key("_error_code").null().key("_error_field").null().key("_error").null();
      return;
    }
    json.key("_error_code").text(name(row.record.error->code));
    json.key("_error_field").text(row.record.error->field);
    json.key("_error").text(row.record.error->message);
  }

  void add_fields(JsonWriter& json, const ResultRow& row) {
    const auto cells = row.record.batch->record(row.record.index);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const Cell& cell = cells[i];
      if (cell.kind == CellKind::kAbsent) continue;
      json.key(columns_[i]);
      switch (cell.kind) {
        case CellKind::kAbsent:
        case CellKind::kNull: json.null(); break;
        case CellKind::kTrue: json.boolean(true); break;
        case CellKind::kFalse: json.boolean(false); break;
        case CellKind::kNumber:
        case CellKind::kJson: json.raw(cell.text()); break;
        case CellKind::kText:
        case CellKind::kQuotedText: json.text(cell.text()); break;
      }
    }
  }

  Result<void> add_original(JsonWriter& json, const ResultRow& row,
                            PayloadReader& payload, std::string& out,
                            const TextSink& sink) {
    const bool whole = row.record.batch->piece().kind != PieceKind::kTooLarge;
    if (whole && is_utf8(row.record.batch->raw(row.record.index))) {
      json.key("_original").text(row.record.batch->raw(row.record.index));
      return {};
    }
    json.key("_original_base64").raw("\"");
    TALLY_TRY(
        for_each_chunk(row.record, payload, [&](std::string_view chunk) -> Result<void> {
          append_base64(out, chunk);
          if (chunk.size() < kChunkBytes) return {};
          TALLY_TRY(sink(out));
          out.clear();
          return {};
        }));
    out += '"';
    return {};
  }

  std::vector<std::string> columns_;
  bool from_csv_;
  bool has_parent_;
  bool as_array_;
  bool first_ = true;
};

}  // namespace

std::string result_id(const RecordWithOutcome& record) {
  if (!record.unit || !is_success(record.outcome)) return {};
  switch (record.unit->ids.kind) {
    case RowIdKind::kNone: return {};
    case RowIdKind::kInteger:
      return std::to_string(record.unit->ids.integers[record.place]);
    case RowIdKind::kText: return std::string(record.unit->ids.text(record.place));
  }
  return {};
}

std::unique_ptr<ResultWriter> make_result_writer(const Job& job,
                                                 std::vector<std::string> columns,
                                                 const ResultQuery& query) {
  if (query.format == ResultFormat::kCsv) {
    return std::make_unique<CsvResultWriter>(job, std::move(columns),
                                             query.spreadsheet_safe);
  }
  return std::make_unique<JsonResultWriter>(job, std::move(columns),
                                            query.format == ResultFormat::kJson);
}

}  // namespace tallyman
