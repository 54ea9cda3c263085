#include "target/sqlite_table.h"

#include <algorithm>
#include <utility>

#include "base/join.h"
#include "base/nearest_name.h"
#include "model/limits.h"
#include "target/sqlite_reach.h"
#include "target/sqlite_sql.h"

namespace tallyman {
namespace {

using db::SqliteConnection;
using db::SqliteStatement;

bool is_internal(std::string_view name) {
  return name.starts_with("sqlite_") || name.starts_with("tallyman_");
}

Error refused(std::string_view name, std::string_view why) {
  return {ErrorCode::kInvalidArgument, "\"" + std::string(name) + "\" " +
                                           std::string(why) + "; name an ordinary table"};
}

Error no_such_table(SqliteConnection& connection, std::string_view name) {
  const auto tables = list_sqlite_tables(connection);
  if (!tables.ok()) return tables.error();
  std::string message = "no table \"" + std::string(name) + "\" in the database";
  if (const auto nearest = nearest_name(name, tables.value())) {
    message += "; did you mean \"" + *nearest + "\"?";
  }
  return {ErrorCode::kNotFound, std::move(message)};
}

struct TableKind {
  std::string name;  // As the catalogue writes it.
  bool without_rowid = false;
  bool strict = false;
};

Result<TableKind> find_table(SqliteConnection& connection, std::string_view name) {
  TALLY_TRY_ASSIGN(auto find, connection.prepare(
                                  "SELECT name, type, wr, strict FROM pragma_table_list "
                                  "WHERE schema = 'main' AND name = ?1 COLLATE NOCASE"));
  find.bind_all(name);
  TALLY_TRY_ASSIGN(const bool found, find.step());
  if (!found) return no_such_table(connection, name);
  const std::string_view type = find.text(1);
  if (type == "view") return refused(name, "is a view");
  if (type == "virtual") return refused(name, "is a virtual table");
  if (type != "table") return refused(name, "belongs to a virtual table");
  if (is_internal(find.text(0))) return refused(name, "is an internal table");
  return TableKind{std::string(find.text(0)), find.integer(2) != 0, find.integer(3) != 0};
}

// --- Columns --------------------------------------------------------------------------

struct PrimaryKeyPlace {
  std::int64_t order;  // 1, 2 ... within the key.
  std::size_t column;
};

Field make_field(const SqliteStatement& row, const SqliteColumnType& type) {
  Field field;
  field.name = row.text(0);
  field.declared_type = row.text(1);
  field.type = type.type;
  field.precision = type.precision;
  field.scale = type.scale;
  field.max_length = type.max_length;
  field.nullable = row.integer(2) == 0 && row.integer(4) == 0;
  field.default_sql = row.text(3);
  field.has_default = !row.is_null(3);
  field.generated = row.integer(5) >= 2;
  return field;
}

void add_primary_key(SqliteTable& table, std::vector<PrimaryKeyPlace> places) {
  if (places.empty()) return;
  std::sort(places.begin(), places.end(),
            [](const auto& a, const auto& b) { return a.order < b.order; });
  Key key{"primary key", {}, true};
  for (const PrimaryKeyPlace& place : places) key.fields.push_back(place.column);

  const Field& first = table.resource.fields[key.fields.front()];
  const bool one_integer = key.fields.size() == 1 && first.type == FieldType::kInteger;
  table.row_id_kind = one_integer ? RowIdKind::kInteger : RowIdKind::kText;
  table.keys.push_back({std::vector<std::string>(key.fields.size(), "BINARY")});
  table.resource.keys.push_back(std::move(key));
}

Result<void> read_columns(SqliteConnection& connection, const TableKind& kind,
                          SqliteTable& table) {
  TALLY_TRY_ASSIGN(
      auto columns,
      connection.prepare("SELECT name, type, \"notnull\", dflt_value, pk, hidden "
                         "FROM pragma_table_xinfo(?1, 'main') ORDER BY cid"));
  columns.bind_all(kind.name);
  std::vector<PrimaryKeyPlace> primary_key;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, columns.step());
    if (!more) break;
    const SqliteColumnType type = describe_sqlite_type(columns.text(1), kind.strict);
    if (columns.integer(4) > 0) {
      primary_key.push_back({columns.integer(4), table.resource.fields.size()});
    }
    table.resource.fields.push_back(make_field(columns, type));
    table.affinities.push_back(type.affinity);
  }
  if (table.resource.fields.size() > limits::kFieldsMax) {
    return Error{ErrorCode::kInvalidArgument,
                 "table \"" + kind.name + "\" has " +
                     std::to_string(table.resource.fields.size()) +
                     " columns; the limit is " + std::to_string(limits::kFieldsMax)};
  }
  add_primary_key(table, std::move(primary_key));
  return {};
}

// --- Keys -----------------------------------------------------------------------------

struct FoundKey {
  Key key;
  SqliteKey sqlite;
};

// The columns of an index; nothing where one is an expression.
Result<std::optional<FoundKey>> read_index(SqliteConnection& connection,
                                           const std::string& index) {
  TALLY_TRY_ASSIGN(
      auto columns,
      connection.prepare("SELECT cid, coll FROM pragma_index_xinfo(?1, 'main') "
                         "WHERE key = 1 ORDER BY seqno"));
  columns.bind_all(index);
  FoundKey found;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, columns.step());
    if (!more) return std::optional(std::move(found));
    if (columns.integer(0) < 0) return std::optional<FoundKey>();
    found.key.fields.push_back(static_cast<std::size_t>(columns.integer(0)));
    found.sqlite.collations.emplace_back(columns.text(1));
  }
}

std::string field_list(const SqliteTable& table, const std::vector<std::size_t>& fields) {
  std::vector<std::string> names;
  for (const std::size_t field : fields)
    names.push_back(table.resource.fields[field].name);
  return join(names, ", ");
}

Result<void> read_keys(SqliteConnection& connection, const TableKind& kind,
                       SqliteTable& table) {
  TALLY_TRY_ASSIGN(
      auto indexes,
      connection.prepare("SELECT name, origin FROM pragma_index_list(?1, 'main') "
                         "WHERE \"unique\" = 1 AND partial = 0"));
  indexes.bind_all(kind.name);
  bool primary_has_index = false;
  std::vector<FoundKey> others;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, indexes.step());
    if (!more) break;
    const std::string name(indexes.text(0));
    const std::string origin(indexes.text(1));
    TALLY_TRY_ASSIGN(auto found, read_index(connection, name));
    if (!found) continue;
    if (origin == "pk") {
      primary_has_index = true;
      table.resource.keys.front().fields = found->key.fields;
      table.keys.front() = found->sqlite;
      continue;
    }
    // SQLite forgets the names of constraints, and its own for their indexes say nothing.
    found->key.name =
        origin == "u" ? "unique (" + field_list(table, found->key.fields) + ")" : name;
    others.push_back(*std::move(found));
  }
  std::sort(others.begin(), others.end(),
            [](const auto& a, const auto& b) { return a.key.name < b.key.name; });
  for (FoundKey& other : others) {
    table.resource.keys.push_back(std::move(other.key));
    table.keys.push_back(std::move(other.sqlite));
  }

  // A primary key without an index is the rowid itself.
  const Key* primary = table.resource.primary_key();
  if (primary && !primary_has_index && !kind.without_rowid) {
    table.rowid_column = primary->fields.front();
    table.resource.fields[*table.rowid_column].has_default = true;
  }
  return {};
}

void name_rowid(SqliteTable& table, const TableKind& kind) {
  if (kind.without_rowid) return;
  if (table.rowid_column) {
    table.rowid_name = quote_name(table.resource.fields[*table.rowid_column].name);
    return;
  }
  for (const std::string_view alias : {"rowid", "_rowid_", "oid"}) {
    const bool taken = std::any_of(
        table.resource.fields.begin(), table.resource.fields.end(),
        [&](const Field& field) { return is_same_sqlite_name(field.name, alias); });
    if (taken) continue;
    table.rowid_name = alias;
    return;
  }
}

}  // namespace

Result<std::int64_t> read_schema_version(SqliteConnection& connection) {
  TALLY_TRY_ASSIGN(auto read, connection.prepare("PRAGMA main.schema_version"));
  TALLY_TRY(read.step());
  return read.integer(0);
}

Result<SqliteTable> read_sqlite_table(SqliteConnection& connection,
                                      std::string_view name) {
  TALLY_TRY_ASSIGN(const TableKind kind, find_table(connection, name));
  SqliteTable table;
  table.resource.name = kind.name;
  table.resource.table = kind.name;
  TALLY_TRY_ASSIGN(table.schema_version, read_schema_version(connection));
  TALLY_TRY(read_columns(connection, kind, table));
  TALLY_TRY(read_keys(connection, kind, table));
  name_rowid(table, kind);
  TALLY_TRY(read_sqlite_reach(connection, table));
  return table;
}

Result<std::vector<std::string>> list_sqlite_tables(SqliteConnection& connection) {
  TALLY_TRY_ASSIGN(auto rows,
                   connection.prepare("SELECT name FROM pragma_table_list "
                                      "WHERE schema = 'main' AND type = 'table' "
                                      "ORDER BY name"));
  std::vector<std::string> tables;
  while (true) {
    TALLY_TRY_ASSIGN(const bool more, rows.step());
    if (!more) return tables;
    if (!is_internal(rows.text(0))) tables.emplace_back(rows.text(0));
  }
}

}  // namespace tallyman
