#include "target/sqlite_write_sql.h"

#include <algorithm>

#include "base/join.h"
#include "target/sqlite_sql.h"

namespace tallyman {
namespace {

std::string parameter(std::size_t number) { return "?" + std::to_string(number); }

}  // namespace

SqliteWrite::SqliteWrite(Resource the_resource, SqliteTable the_table, WritePlan the_plan)
    : resource(std::move(the_resource)),
      table(std::move(the_table)),
      plan(std::move(the_plan)) {
  WrittenFields written = written_fields(plan, resource, table.resource);
  places = std::move(written.places);
  replaceable = std::move(written.replaceable);
}

std::optional<std::size_t> SqliteWrite::column_of(std::size_t table_field) const {
  const auto found = std::find(places.begin(), places.end(), table_field);
  if (found == places.end()) return std::nullopt;
  return static_cast<std::size_t>(found - places.begin());
}

std::string SqliteWrite::key_column(std::size_t key, std::size_t i) const {
  const std::size_t field = table.resource.keys[key].fields[i];
  return quote_name(table.resource.fields[field].name) + " COLLATE " +
         quote_name(table.keys[key].collations[i]);
}

std::string SqliteWrite::key_names() const {
  std::vector<std::string> names;
  for (const std::size_t column : plan.key_columns) names.push_back(field(column).name);
  return join(names, ", ");
}

std::vector<std::size_t> SqliteWrite::id_fields() const {
  if (table.row_id_kind == RowIdKind::kNone) return {};
  if (table.row_id_kind == RowIdKind::kInteger && table.rowid_column) return {};
  return table.resource.primary_key()->fields;
}

SqliteWrite::Locator SqliteWrite::locator() const {
  if (!table.rowid_name.empty()) return Locator::kRowid;
  return table.resource.primary_key() ? Locator::kPrimaryKey : Locator::kJobKey;
}

// OR ABORT outweighs the clauses of the table, which would swallow records. It also
// outweighs those of triggers' statements, so it is used only where it is needed.
std::string SqliteWrite::conflict_clause() const {
  return table.has_conflict_clauses ? " OR ABORT" : "";
}

std::string SqliteWrite::where_key(std::size_t key, std::size_t first_parameter) const {
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < table.resource.keys[key].fields.size(); ++i) {
    terms.push_back(key_column(key, i) + " = " + parameter(first_parameter + i));
  }
  return join(terms, " AND ");
}

std::string SqliteWrite::where_row(std::size_t first_parameter) const {
  switch (locator()) {
    case Locator::kRowid: return table.rowid_name + " = " + parameter(first_parameter);
    case Locator::kPrimaryKey: return where_key(0, first_parameter);
    case Locator::kJobKey: break;
  }
  return where_key(plan.key.value(), first_parameter);
}

std::string SqliteWrite::insert(std::span<const std::size_t> columns,
                                bool returning) const {
  std::vector<std::string> names;
  std::vector<std::string> parameters;
  for (const std::size_t column : columns) {
    names.push_back(quote_name(field(column).name));
    parameters.push_back(parameter(parameters.size() + 1));
  }
  std::string sql =
      "INSERT" + conflict_clause() + " INTO " + quote_table(table.resource.table);
  sql += columns.empty()
             ? " DEFAULT VALUES"
             : " (" + join(names, ", ") + ") VALUES (" + join(parameters, ", ") + ")";
  if (!returning) return sql;
  std::vector<std::string> ids;
  for (const std::size_t id : id_fields()) {
    ids.push_back(quote_name(table.resource.fields[id].name));
  }
  return sql + " RETURNING " + join(ids, ", ");
}

std::string SqliteWrite::find(std::span<const std::size_t> compared,
                              std::span<const std::size_t> defaults) const {
  std::vector<std::string> results;
  if (!table.rowid_name.empty()) results.push_back(table.rowid_name);
  for (const std::size_t id : id_fields()) {
    results.push_back(quote_name(table.resource.fields[id].name));
  }
  for (const std::size_t column : compared) {
    results.push_back(quote_name(field(column).name));
  }
  for (const std::size_t place : defaults) {
    const Field& defaulted = table.resource.fields[place];
    results.push_back(is_constant_default(defaulted.default_sql)
                          ? quote_name(defaulted.name) + " COLLATE BINARY IS " +
                                default_expression(defaulted.default_sql)
                          : "0");
  }
  if (results.empty()) results.push_back("1");
  return "SELECT " + join(results, ", ") + " FROM " + quote_table(table.resource.table) +
         " WHERE " + where_key(plan.key.value(), 1);
}

std::string SqliteWrite::update(std::span<const std::size_t> columns,
                                std::span<const std::size_t> defaults) const {
  std::vector<std::string> sets;
  for (const std::size_t column : columns) {
    sets.push_back(quote_name(field(column).name) + " = " + parameter(sets.size() + 1));
  }
  const std::size_t next = sets.size() + 1;
  for (const std::size_t place : defaults) {
    const Field& defaulted = table.resource.fields[place];
    sets.push_back(quote_name(defaulted.name) + " = " +
                   default_expression(defaulted.default_sql));
  }
  return "UPDATE" + conflict_clause() + " " + quote_table(table.resource.table) +
         " SET " + join(sets, ", ") + " WHERE " + where_row(next);
}

std::string SqliteWrite::update_if_changed(std::span<const std::size_t> columns) const {
  std::vector<std::string> differences;
  for (const std::size_t column : columns) {
    differences.push_back(quote_name(field(column).name) + " COLLATE BINARY IS NOT " +
                          parameter(differences.size() + 1));
  }
  return update(columns, {}) + " AND (" + join(differences, " OR ") + ")";
}

std::string SqliteWrite::remove() const {
  return "DELETE FROM " + quote_table(table.resource.table) + " WHERE " + where_row(1);
}

std::string SqliteWrite::look() const {
  return "SELECT 1 FROM " + quote_table(table.resource.table) + " WHERE " + where_row(1);
}

}  // namespace tallyman
