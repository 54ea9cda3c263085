#include "target/sqlite_row_id.h"

#include <simdjson.h>

#include <charconv>

#include "base/check.h"
#include "base/json_writer.h"
#include "target/field_text.h"

namespace tallyman {
namespace {

template <class Number>
void append_number(Number number, std::string& into) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number);
  into.append(buffer, end.ptr);
}

std::string blob_text(const BoundValue& value) {
  return encode_bytes({reinterpret_cast<const std::uint8_t*>(value.data), value.size});
}

void append_plain(const BoundValue& value, std::string& into) {
  switch (value.kind) {
    case BoundKind::kInteger: append_number(value.integer, into); return;
    case BoundKind::kReal: append_number(value.real, into); return;
    case BoundKind::kText: into += value.text(); return;
    case BoundKind::kBlob: into += blob_text(value); return;
    case BoundKind::kAbsent:
    case BoundKind::kNull: return;
  }
}

void append_json(const BoundValue& value, std::string& into) {
  switch (value.kind) {
    case BoundKind::kInteger: append_number(value.integer, into); return;
    case BoundKind::kReal: append_number(value.real, into); return;
    case BoundKind::kText: append_json_string(into, value.text()); return;
    case BoundKind::kBlob: append_json_string(into, blob_text(value)); return;
    case BoundKind::kAbsent:
    case BoundKind::kNull: into += "null"; return;
  }
}

bool is_untyped(const SqliteTable& table, std::size_t field) {
  return table.resource.fields[field].type == FieldType::kAny &&
         table.affinities[field] == SqliteAffinity::kNone;
}

bool is_bytes(const SqliteTable& table, std::size_t field) {
  return table.resource.fields[field].type == FieldType::kBytes;
}

BoundValue blob_or_text(std::string_view text, std::deque<std::string>& arena) {
  std::string bytes;
  if (!decode_bytes(text, bytes)) return BoundValue::of_text(text);
  arena.push_back(std::move(bytes));
  return BoundValue::of_text(arena.back(), BoundKind::kBlob);
}

BoundValue parse_plain(const SqliteTable& table, std::size_t field, std::string_view text,
                       std::deque<std::string>& arena) {
  switch (table.affinities[field]) {
    case SqliteAffinity::kText: return BoundValue::of_text(text);
    case SqliteAffinity::kNone: return blob_or_text(text, arena);
    case SqliteAffinity::kNumeric:
    case SqliteAffinity::kInteger:
    case SqliteAffinity::kReal: break;
  }
  BoundValue value;
  if (parse_integer(text, value.integer) == TextFault::kNone) {
    value.kind = BoundKind::kInteger;
    return value;
  }
  if (parse_float(text, value.real) == TextFault::kNone) {
    value.kind = BoundKind::kReal;
    return value;
  }
  return BoundValue::of_text(text);
}

std::optional<BoundValue> of_json(simdjson::dom::element element, bool may_be_blob,
                                  std::deque<std::string>& arena) {
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;
  if (element.get(integer) == simdjson::SUCCESS) return BoundValue::of_integer(integer);
  if (element.get(real) == simdjson::SUCCESS) return BoundValue::of_real(real);
  if (element.get(text) != simdjson::SUCCESS) return std::nullopt;
  arena.emplace_back(text);
  return may_be_blob ? blob_or_text(arena.back(), arena)
                     : BoundValue::of_text(arena.back());
}

}  // namespace

void append_row_id(const SqliteTable& table, std::span<const BoundValue> key,
                   std::string& into) {
  const Key* primary = table.resource.primary_key();
  CHECK(primary && primary->fields.size() == key.size());
  if (key.size() == 1) {
    if (is_untyped(table, primary->fields.front())) {
      append_json(key.front(), into);
    } else {
      append_plain(key.front(), into);
    }
    return;
  }
  into += '[';
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i != 0) into += ',';
    append_json(key[i], into);
  }
  into += ']';
}

std::optional<std::vector<BoundValue>> parse_row_id(const SqliteTable& table,
                                                    std::string_view text,
                                                    std::deque<std::string>& arena) {
  const Key* primary = table.resource.primary_key();
  CHECK(primary);
  const bool single = primary->fields.size() == 1;
  if (single && !is_untyped(table, primary->fields.front())) {
    return std::vector{parse_plain(table, primary->fields.front(), text, arena)};
  }

  thread_local simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::vector<simdjson::dom::element> elements;
  if (single) {
    elements.push_back(document);
  } else {
    simdjson::dom::array array;
    if (document.get(array) != simdjson::SUCCESS) return std::nullopt;
    for (const simdjson::dom::element element : array) elements.push_back(element);
  }
  if (elements.size() != primary->fields.size()) return std::nullopt;

  std::vector<BoundValue> values;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const bool may_be_blob = is_bytes(table, primary->fields[i]);
    const auto value = of_json(elements[i], may_be_blob, arena);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

BoundValue stored_value(const db::SqliteStatement& row, int place) {
  switch (row.type(place)) {
    case db::SqliteType::kInteger: return BoundValue::of_integer(row.integer(place));
    case db::SqliteType::kFloat: return BoundValue::of_real(row.number(place));
    case db::SqliteType::kText: return BoundValue::of_text(row.text(place));
    case db::SqliteType::kBlob: {
      const auto bytes = row.blob(place);
      return BoundValue::of_text(
          {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, BoundKind::kBlob);
    }
    case db::SqliteType::kNull: return BoundValue::null();
  }
  CHECK(false);
}

}  // namespace tallyman
