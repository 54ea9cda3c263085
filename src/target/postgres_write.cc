#include "target/postgres_write.h"

#include <algorithm>

#include "target/postgres_row_id.h"

namespace tallyman {
namespace {

void add_to_list(std::string& list, std::string_view item, std::string_view between) {
  if (!list.empty()) list += between;
  list += item;
}

}  // namespace

PostgresWrite::PostgresWrite(Resource the_resource, PostgresTable the_table,
                             WritePlan the_plan)
    : resource(std::move(the_resource)),
      table(std::move(the_table)),
      plan(std::move(the_plan)) {
  WrittenFields written = written_fields(plan, resource, table.resource);
  places = std::move(written.places);
  replaceable = std::move(written.replaceable);
  if (const Key* primary = table.resource.primary_key()) id_fields = primary->fields;
}

std::optional<std::size_t> PostgresWrite::column_of(std::size_t table_field) const {
  const auto found = std::find(places.begin(), places.end(), table_field);
  if (found == places.end()) return std::nullopt;
  return static_cast<std::size_t>(found - places.begin());
}

std::string PostgresWrite::rows() const {
  return (table.has_children ? "ONLY " : "") + table.sql_name;
}

std::string PostgresWrite::key_names() const {
  std::string list;
  for (const std::size_t key : plan.key_columns) add_to_list(list, field(key).name, ", ");
  return list;
}

std::string PostgresWrite::field_names(std::span<const std::size_t> table_fields) const {
  std::string list;
  for (const std::size_t place : table_fields) {
    add_to_list(list, table.resource.fields[place].name, ", ");
  }
  return list;
}

std::string PostgresWrite::names(std::span<const std::size_t> columns) const {
  std::string list;
  for (const std::size_t sent : columns) add_to_list(list, column(sent).sql_name, ", ");
  return list;
}

std::string PostgresWrite::assigned(std::size_t column, const std::string& value) const {
  return type(column).needs_cast() ? value + "::" + type(column).name : value;
}

std::string PostgresWrite::has_key(const ValueName& value) const {
  std::string terms;
  for (const std::size_t key : plan.key_columns) {
    add_to_list(terms, "t." + column(key).sql_name + " = " + assigned(key, value(key)),
                " AND ");
  }
  const std::string& predicate = table.keys[*plan.key].predicate;
  if (!predicate.empty()) terms += " AND (" + predicate + ")";
  return terms;
}

// The value in the form that the column would store.
std::string PostgresWrite::image(std::size_t column, const std::string& value) const {
  if (!type(column).is_formed_by_column) return value + "::" + type(column).name;
  return value + "::" + type(column).name + "::" + field(column).declared_type;
}

std::string PostgresWrite::is_same(std::span<const std::size_t> columns,
                                   const ValueName& value) const {
  if (columns.empty()) return "true";
  std::string stored;
  std::string sent;
  for (const std::size_t one : columns) {
    const std::string own = "t." + column(one).sql_name;
    // Both of one type: a domain's values are those of the type below it.
    add_to_list(stored, type(one).is_domain ? own + "::" + type(one).name : own, ", ");
    add_to_list(sent, image(one, value(one)), ", ");
  }
  // The operator *= would compare column by column where it stands between two ROW().
  return "pg_catalog.record_image_eq(ROW(" + stored + "), ROW(" + sent + "))";
}

std::string PostgresWrite::assignments(std::span<const std::size_t> columns,
                                       const ValueName& value) const {
  std::string list;
  for (const std::size_t one : columns) {
    add_to_list(list, column(one).sql_name + " = " + assigned(one, value(one)), ", ");
  }
  return list;
}

std::string PostgresWrite::ids() const {
  std::string list;
  for (const std::size_t place : id_fields) {
    add_to_list(list, postgres_read_term(table.columns[place], "t"), ", ");
  }
  return list.empty() ? "NULL" : list;
}

bool is_constant_postgres_default(std::string_view default_sql) {
  // Functions are called by a name and a bracket; the bracket of a type's length stands
  // behind a cast.
  std::size_t cast = std::string_view::npos;
  for (std::size_t i = 0; i < default_sql.size(); ++i) {
    if (default_sql.substr(i, 2) == "::") cast = i;
    if (default_sql[i] == '\'') {
      i = default_sql.find('\'', i + 1);
      if (i == std::string_view::npos) return false;
      continue;
    }
    if (default_sql[i] == '(' && i > 0 && cast == std::string_view::npos &&
        (std::isalnum(static_cast<unsigned char>(default_sql[i - 1])) ||
         default_sql[i - 1] == '"' || default_sql[i - 1] == '_')) {
      return false;
    }
  }
  return default_sql.find("CURRENT_") == std::string_view::npos &&
         default_sql.find("LOCALTIME") == std::string_view::npos &&
         default_sql.find("USER") == std::string_view::npos;
}

}  // namespace tallyman
