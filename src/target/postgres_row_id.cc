#include "target/postgres_row_id.h"

#include <simdjson.h>

#include "base/check.h"
#include "base/json_writer.h"
#include "target/postgres_wire.h"

namespace tallyman {
namespace {

// JSON writes it without quotes.
bool is_plain_json(PostgresWire wire) {
  switch (wire) {
    case PostgresWire::kInt2:
    case PostgresWire::kInt4:
    case PostgresWire::kInt8:
    case PostgresWire::kFloat4:
    case PostgresWire::kFloat8:
    case PostgresWire::kNumeric:
    case PostgresWire::kBool: return true;
    default: return false;
  }
}

// JSON has no NaN, nan, Infinity and inf.
bool is_in_json(std::string_view text) {
  return text.find_first_of("NIni") == std::string_view::npos;
}

void append_key_text(const PostgresType& type, std::string_view wire, std::string& into) {
  // Blanks at the end of a padded text are not part of its value.
  if (type.is_padded) {
    wire = wire.substr(0, wire.find_last_not_of(' ') + 1);
  }
  append_wire_text(type.wire, wire, into);
}

}  // namespace

std::string postgres_read_term(const PostgresColumn& column, std::string_view alias) {
  const std::string name = std::string(alias) + "." + column.sql_name;
  const bool as_text = column.type.needs_cast() || column.type.is_padded;
  return as_text ? name + "::pg_catalog.text" : name;
}

void append_row_id(const PostgresTable& table, std::span<const std::string_view> key,
                   std::string& into) {
  const Key* primary = table.resource.primary_key();
  CHECK(primary && primary->fields.size() == key.size());
  const auto type_of = [&](std::size_t i) -> const PostgresType& {
    return table.columns[primary->fields[i]].type;
  };
  if (key.size() == 1) {
    append_key_text(type_of(0), key.front(), into);
    return;
  }
  std::string text;
  for (std::size_t i = 0; i < key.size(); ++i) {
    into += i == 0 ? '[' : ',';
    text.clear();
    append_key_text(type_of(i), key[i], text);
    if (is_plain_json(type_of(i).wire) && is_in_json(text)) {
      into += text;
    } else {
      append_json_string(into, text);
    }
  }
  into += ']';
}

std::optional<std::vector<std::string>> parse_row_id(const PostgresTable& table,
                                                     std::string_view id) {
  const Key* primary = table.resource.primary_key();
  CHECK(primary);
  if (primary->fields.size() == 1) return std::vector{std::string(id)};

  thread_local simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(id);
  simdjson::ondemand::document document;
  simdjson::ondemand::array array;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_array().get(array) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (auto element : array) {
    simdjson::ondemand::value value;
    if (element.get(value) != simdjson::SUCCESS) return std::nullopt;
    simdjson::ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return std::nullopt;
    if (type == simdjson::ondemand::json_type::string) {
      std::string_view text;
      if (value.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
      texts.emplace_back(text);
    } else {
      std::string_view token = value.raw_json_token();
      while (!token.empty() && token.back() <= ' ') token.remove_suffix(1);
      texts.emplace_back(token);
    }
  }
  if (texts.size() != primary->fields.size()) return std::nullopt;
  return texts;
}

}  // namespace tallyman
