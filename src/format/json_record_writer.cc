#include "format/json_record_writer.h"

#include "base/check.h"
#include "base/json_writer.h"

namespace tallyman {
namespace {

// In a JSON text that is whole, a line end can only stand between tokens.
void append_on_one_line(std::string& out, std::string_view json) {
  for (const char byte : json) out += byte == '\n' || byte == '\r' ? ' ' : byte;
}

}  // namespace

void append_json_value(std::string& out, const Cell& cell) {
  switch (cell.kind) {
    case CellKind::kAbsent: CHECK(false); break;
    case CellKind::kNull: out += "null"; break;
    case CellKind::kText:
    case CellKind::kQuotedText: append_json_string(out, cell.text()); break;
    case CellKind::kNumber: out += cell.text(); break;
    case CellKind::kTrue: out += "true"; break;
    case CellKind::kFalse: out += "false"; break;
    case CellKind::kJson: append_on_one_line(out, cell.text()); break;
  }
}

void append_json_record(std::string& out, std::span<const std::string> columns,
                        std::span<const Cell> cells) {
  CHECK(columns.size() == cells.size());
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].kind == CellKind::kAbsent) continue;
    if (!first) out += ',';
    first = false;
    append_json_string(out, columns[i]);
    out += ':';
    append_json_value(out, cells[i]);
  }
  out += '}';
}

}  // namespace tallyman
