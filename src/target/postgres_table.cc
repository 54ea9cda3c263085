#include "target/postgres_table.h"

#include <algorithm>
#include <utility>

#include "base/nearest_name.h"
#include "target/postgres_catalog.h"
#include "target/postgres_name.h"

namespace tallyman {
namespace {

using db::PostgresConnection;
using db::PostgresResult;

constexpr std::string_view kOurSchema = "tallyman";

Error refused(std::string_view name, std::string_view why) {
  return {ErrorCode::kInvalidArgument, "\"" + std::string(name) + "\" " +
                                           std::string(why) + "; name an ordinary table"};
}

Error no_such_table(PostgresConnection& connection, std::string_view name) {
  const auto tables = list_postgres_tables(connection);
  if (!tables.ok()) return tables.error();
  std::string message = "no table \"" + std::string(name) + "\" in the database";
  if (const auto nearest = nearest_name(name, tables.value())) {
    message += "; did you mean \"" + *nearest + "\"?";
  }
  return {ErrorCode::kNotFound, std::move(message)};
}

// What can stand in a FROM. An index or a sequence is no table at all.
constexpr std::string_view kFind = R"(
SELECT c.oid, n.nspname, c.relname, c.relkind,
       n.nspname IN ('pg_catalog', 'information_schema') OR n.nspname LIKE 'pg\_%',
       c.relispartition, c.relrowsecurity, row_security_active(c.oid),
       EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'
               AND r.ev_enabled IN ('O', 'A')),
       c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid),
       CASE WHEN pg_table_is_visible(c.oid) THEN quote_ident(c.relname)
            ELSE quote_ident(n.nspname) || '.' || quote_ident(c.relname) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = $1
  AND CASE WHEN $2::text IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname = $2 END)";

Result<std::optional<PostgresResult>> find_one(PostgresConnection& connection,
                                               const PostgresName& name) {
  TALLY_TRY_ASSIGN(auto found, connection.execute(kFind, name.table, name.schema));
  if (found.rows() == 0) return std::optional<PostgresResult>();
  return std::optional(std::move(found));
}

Result<PostgresTable> find_table(PostgresConnection& connection, std::string_view name) {
  for (const PostgresName& reading : postgres_name_readings(name)) {
    TALLY_TRY_ASSIGN(const auto found, find_one(connection, reading));
    if (!found) continue;
    const char kind = found->text(0, 3).front();
    if (found->boolean(0, 4)) return refused(name, "is one of the system's");
    if (found->text(0, 1) == kOurSchema) return refused(name, "is an internal table");
    if (kind == 'v') return refused(name, "is a view");
    if (kind == 'm') return refused(name, "is a materialized view");
    if (kind == 'f') return refused(name, "is a foreign table");
    PostgresTable table;
    table.oid = static_cast<db::Oid>(found->integer(0, 0));
    table.schema = found->text(0, 1);
    table.name = found->text(0, 2);
    table.sql_name =
        db::postgres_quoted(table.schema) + "." + db::postgres_quoted(table.name);
    table.is_partitioned = kind == 'p';
    table.is_partition = found->boolean(0, 5);
    table.row_security = found->boolean(0, 6);
    table.row_security_active = found->boolean(0, 7);
    table.has_rules = found->boolean(0, 8);
    table.has_children = found->boolean(0, 9);
    table.resource.name = table.name;
    table.resource.table = found->text(0, 10);
    return table;
  }
  return no_such_table(connection, name);
}

// What the fingerprint holds beside what the catalogue reader saw.
constexpr std::string_view kShape = R"(
SELECT n.nspname, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity,
       (SELECT string_agg(pg_get_ruledef(r.oid), ';' ORDER BY r.rulename)
        FROM pg_rewrite r WHERE r.ev_class = c.oid),
       EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid),
       pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1)";

}  // namespace

Result<PostgresTable> read_postgres_table(PostgresConnection& connection,
                                          std::string_view name) {
  TALLY_TRY_ASSIGN(PostgresTable table, find_table(connection, name));
  // Before the rest: a change in between is then seen as one.
  TALLY_TRY_ASSIGN(table.stamp, read_postgres_stamp(connection, table.oid));
  TALLY_TRY_ASSIGN(const auto reader, PostgresCatalogReader::make(connection));
  TALLY_TRY(reader->query(kShape, table.oid, 9));
  TALLY_TRY(read_postgres_columns(*reader, table));
  TALLY_TRY(read_postgres_keys(*reader, table));
  TALLY_TRY(read_postgres_links(*reader, table));
  table.resource.schema_fingerprint = reader->fingerprint();
  return table;
}

Result<std::vector<std::string>> list_postgres_tables(PostgresConnection& connection) {
  TALLY_TRY_ASSIGN(
      const auto rows,
      connection.exec(
          "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN quote_ident(c.relname) "
          "ELSE quote_ident(n.nspname) || '.' || quote_ident(c.relname) END COLLATE "
          "\"C\" "
          "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
          "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition "
          "AND n.nspname NOT IN ('information_schema', 'tallyman') "
          "AND n.nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(n.oid, 'USAGE') "
          "AND (has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE') "
          "OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE')) ORDER BY 1"));
  std::vector<std::string> tables;
  for (int row = 0; row < rows.rows(); ++row) tables.emplace_back(rows.text(row, 0));
  return tables;
}

}  // namespace tallyman
