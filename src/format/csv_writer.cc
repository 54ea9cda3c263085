#include "format/csv_writer.h"

#include "model/json_number.h"

namespace tallyman {
namespace {

bool needs_quotes(std::string_view text, char delimiter) {
  const char wanted[] = {delimiter, '"', '\r', '\n'};
  return text.find_first_of({wanted, sizeof wanted}) != std::string_view::npos;
}

}  // namespace

bool is_formula(std::string_view text) {
  constexpr std::string_view kFormulaStarts = "=+-@\t\r";
  return !text.empty() && kFormulaStarts.find(text.front()) != std::string_view::npos &&
         !is_json_number(text);
}

void append_csv_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t quote = text.find('"');
    const std::string_view part =
        text.substr(0, quote == std::string_view::npos ? quote : quote + 1);
    out += part;
    if (part.ends_with('"')) out += '"';
    text.remove_prefix(part.size());
  }
  out += '"';
}

void append_csv_cell(std::string& out, std::string_view text, char delimiter) {
  if (needs_quotes(text, delimiter)) {
    append_csv_quoted(out, text);
  } else {
    out += text;
  }
}

void append_csv_cell_safe(std::string& out, std::string_view text, char delimiter) {
  if (is_formula(text)) {
    append_csv_cell(out, "'" + std::string(text), delimiter);
  } else {
    append_csv_cell(out, text, delimiter);
  }
}

}  // namespace tallyman
