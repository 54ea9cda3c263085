#include "format/json_reader.h"

#include <algorithm>
#include <utility>

#include "model/in_quotes.h"
#include "model/json_number.h"

namespace tallyman {
namespace {

constexpr int kNoColumn = -1;

RecordError malformed(std::string message, std::string field = {}) {
  return {RecordErrorCode::kMalformedRecord, std::move(field), std::move(message)};
}

RecordError not_json(const JsonCursor& cursor) {
  return malformed("the record is not JSON: it goes wrong at its byte " +
                   std::to_string(cursor.offset()));
}

RecordError token_fault(JsonTokens::Fault fault) {
  switch (fault) {
    case JsonTokens::Fault::kNotUtf8: return malformed("the record is not UTF-8");
    case JsonTokens::Fault::kOpenString:
      return malformed("the record is not JSON: a string is not closed");
    case JsonTokens::Fault::kControlCharacter:
      return malformed(
          "the record is not JSON: a control character in a string is not escaped");
    case JsonTokens::Fault::kNone: break;
  }
  CHECK(false);
}

std::unordered_map<std::string_view, int> numbered(
    const std::vector<std::string>& columns) {
  std::unordered_map<std::string_view, int> numbers;
  for (const std::string& column : columns) {
    numbers.emplace(column, static_cast<int>(numbers.size()));
  }
  return numbers;
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

JsonReader::JsonReader(const RecordReader::Options& options)
    : options_(options),
      columns_(numbered(options.columns)),
      columns_seen_(options.columns.size(), kNoColumn) {
  CHECK(columns_.size() == options.columns.size());
  CHECK(options.scalar_column < static_cast<int>(options.columns.size()));
}

bool JsonReader::read(RecordBatchFill& fill) {
  const bool is_lines = options_.format.type == ContentType::kNdjson;
  if (!(is_lines ? find_lines(fill) : find_elements(fill))) return false;
  if (fill.size() != fill.piece().record_count) return false;
  if (tokens_.find(fill.bytes(), fill.piece().length) == JsonTokens::Fault::kNone) {
    read_records(tokens_.places(), fill);
  } else {
    read_one_by_one(fill);
  }
  return true;
}

bool JsonReader::find_lines(RecordBatchFill& fill) {
  std::string_view rest(fill.bytes(), fill.piece().length);
  while (!rest.empty()) {
    const std::size_t line_feed = rest.find('\n');
    const std::string_view line = without_line_end(rest.substr(0, line_feed));
    rest.remove_prefix(std::min(rest.size(), line_feed) +
                       (line_feed < rest.size() ? 1 : 0));
    if (line.find_first_not_of(kJsonWhiteSpace) == std::string_view::npos) continue;
    if (fill.size() == fill.piece().record_count) return false;
    fill.add(line);
  }
  return true;
}

bool JsonReader::find_elements(RecordBatchFill& fill) {
  const std::string_view bytes(fill.bytes(), fill.piece().length);
  const auto add = [&](std::size_t begin, std::size_t end) {
    while (begin < end && is_json_white_space(bytes[begin])) ++begin;
    if (begin == end || fill.size() == fill.piece().record_count) return false;
    fill.add(trim_json_end(bytes.substr(begin, end - begin)));
    return true;
  };

  scanner_.reset();
  std::size_t begin = 0;
  for (std::size_t done = 0; done < bytes.size(); done += JsonScanner::kBatchBytes) {
    const auto found =
        scanner_.scan(bytes.substr(done, JsonScanner::kBatchBytes), commas_.data());
    if (found.closed) return false;
    for (std::size_t i = 0; i < found.commas; ++i) {
      if (!add(begin, done + commas_[i])) return false;
      begin = done + commas_[i] + 1;
    }
  }
  return add(begin, bytes.size());
}

void JsonReader::read_records(std::span<const std::uint32_t> places,
                              RecordBatchFill& fill) {
  const char* const base = fill.bytes();
  const std::uint32_t* next = places.data();
  const std::uint32_t* const end = next + places.size();
  for (std::size_t record = 0; record < fill.size(); ++record) {
    const std::string_view raw = fill.raw(record);
    const auto raw_begin = static_cast<std::size_t>(raw.data() - base);
    while (next != end && *next < raw_begin) ++next;
    const std::uint32_t* const begin = next;
    while (next != end && *next < raw_begin + raw.size()) ++next;
    read_record(JsonCursor(raw, base, {begin, next}), record, fill);
  }
}

void JsonReader::read_one_by_one(RecordBatchFill& fill) {
  for (std::size_t record = 0; record < fill.size(); ++record) {
    const std::string_view raw = fill.raw(record);
    const JsonTokens::Fault fault = tokens_.find(raw.data(), raw.size());
    if (fault != JsonTokens::Fault::kNone) {
      fill.fail(record, token_fault(fault));
    } else {
      read_record(JsonCursor(raw, raw.data(), tokens_.places()), record, fill);
    }
  }
}

void JsonReader::read_record(JsonCursor cursor, std::size_t record,
                             RecordBatchFill& fill) {
  auto error = cursor.peek() == '{' ? read_object(cursor, record, fill)
                                    : read_scalar(cursor, record, fill);
  if (error) [[unlikely]]
    fill.fail(record, std::move(*error));
}

std::optional<RecordError> JsonReader::read_object(JsonCursor& cursor, std::size_t record,
                                                   RecordBatchFill& fill) {
  Cell* const row = fill.row(record);
  std::optional<RecordError> unknown;
  cursor.take('{');
  if (!cursor.take('}')) {
    for (std::size_t place = 0;; ++place) {
      const JsonCursor before = cursor;
      const auto written = cursor.take_string();
      if (!written) return not_json(cursor);
      std::string_view key = *written;
      if (key.find('\\') != std::string_view::npos) {
        key_.resize(key.size());
        const auto size = json_unescape(key, key_.data());
        if (!size) return not_json(before);
        key = std::string_view(key_).substr(0, *size);
      }
      if (!cursor.take(':')) return not_json(cursor);

      const int column = find_column(key, place);
      if (column == kNoColumn && !unknown) unknown = unknown_field(key);
      Cell unused;
      Cell& cell = column == kNoColumn ? unused : row[column];
      if (cell.kind != CellKind::kAbsent) {
        return malformed("the field " + in_quotes(key) + " is there twice",
                         std::string(key));
      }
      if (!read_value(cursor, 1, cell, fill)) return not_json(cursor);
      if (cursor.take('}')) break;
      if (!cursor.take(',')) return not_json(cursor);
    }
  }
  if (!cursor.at_end()) return not_json(cursor);
  return unknown;
}

std::optional<RecordError> JsonReader::read_scalar(JsonCursor& cursor, std::size_t record,
                                                   RecordBatchFill& fill) {
  Cell cell;
  if (!read_value(cursor, 0, cell, fill) || !cursor.at_end()) return not_json(cursor);
  const bool taken = cell.kind == CellKind::kNumber || cell.kind == CellKind::kText;
  if (options_.scalar_column < 0) {
    return malformed("the record is not an object: write {\"field\": value, ...}");
  }
  if (!taken) return malformed("the record is neither an object nor a number or a text");
  fill.row(record)[options_.scalar_column] = cell;
  return std::nullopt;
}

// `depth`: how many brackets stand open around the value.
bool JsonReader::read_value(JsonCursor& cursor, std::size_t depth, Cell& cell,
                            RecordBatchFill& fill) {
  std::string_view text;
  CellKind kind;
  switch (cursor.peek()) {
    case '"': return read_string(cursor, cell, fill);
    case '{':
    case '[': {
      const auto nested = cursor.take_nested(depth);
      if (!nested) return false;
      text = *nested;
      kind = CellKind::kJson;
      break;
    }
    case '\0': return false;
    default:
      text = cursor.token_text();
      if (text == "null") {
        kind = CellKind::kNull;
      } else if (text == "true") {
        kind = CellKind::kTrue;
      } else if (text == "false") {
        kind = CellKind::kFalse;
      } else if (is_json_number(text)) {
        kind = CellKind::kNumber;
      } else {
        return false;
      }
      cursor.skip_token();
  }
  cell = {
      .data = text.data(), .size = static_cast<std::uint32_t>(text.size()), .kind = kind};
  return true;
}

bool JsonReader::read_string(JsonCursor& cursor, Cell& cell, RecordBatchFill& fill) {
  const JsonCursor before = cursor;
  auto text = cursor.take_string();
  if (!text) return false;
  if (text->find('\\') != std::string_view::npos) {
    char* const out = fill.decoded();
    const auto size = json_unescape(*text, out);
    if (!size) {
      cursor = before;
      return false;
    }
    text = fill.keep_decoded(*size);
  }
  cell = {.data = text->data(),
          .size = static_cast<std::uint32_t>(text->size()),
          .kind = CellKind::kText};
  return true;
}

// The records of an upload mostly have the same keys in the same order: the i-th key of
// the last one is tried first.
inline int JsonReader::find_column(std::string_view key, std::size_t place) {
  if (place >= columns_seen_.size()) {
    const auto found = columns_.find(key);
    return found == columns_.end() ? kNoColumn : found->second;
  }
  int& seen = columns_seen_[place];
  if (seen != kNoColumn && options_.columns[static_cast<std::size_t>(seen)] == key)
    return seen;
  const auto found = columns_.find(key);
  if (found == columns_.end()) return kNoColumn;
  return seen = found->second;
}

RecordError JsonReader::unknown_field(std::string_view key) {
  if (!unknown_ || unknown_->field != key) {
    unknown_ = {
        RecordErrorCode::kUnknownField, std::string(key),
        "there is no field " + in_quotes(key) + did_you_mean(key, options_.columns)};
  }
  return *unknown_;
}

}  // namespace tallyman
