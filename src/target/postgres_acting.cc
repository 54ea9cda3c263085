#include "target/postgres_acting.h"

#include <algorithm>

#include "base/join.h"
#include "db/postgres_database.h"
#include "db/postgres_params.h"

namespace tallyman {
namespace {

using db::PostgresConnection;

constexpr const char* kNotAvailable = "ROLE_NOT_AVAILABLE";
constexpr const char* kNotAllowed = "ROLE_NOT_ALLOWED";

std::string named(const ActingAs& as) {
  return as.role.empty() ? "the server's own role" : "role \"" + as.role + "\"";
}

// A claim's name as SET takes it.
std::string quoted_claim(std::string_view name) {
  std::string quoted;
  while (true) {
    const std::size_t dot = name.find('.');
    quoted += db::postgres_quoted(name.substr(0, dot));
    if (dot == std::string_view::npos) return quoted;
    quoted += '.';
    name.remove_prefix(dot + 1);
  }
}

Error role_not_available(const PostgresConnection& connection, const ActingAs& as) {
  const db::PostgresFailure& failure = connection.failure();
  if (db::is_passing(failure)) return db::postgres_error(failure);
  const std::string role = db::postgres_quoted(as.role);
  if (failure.is("42501")) {
    return {ErrorCode::kForbidden,
            named(as) +
                ": the role that the server connects with may not act as it; let "
                "a superuser run: GRANT " +
                role + " TO that role",
            kNotAvailable};
  }
  return {ErrorCode::kForbidden,
          named(as) + " is not in the database (SQLSTATE " + failure.sqlstate +
              "); CREATE ROLE it, or make a token with another role",
          kNotAvailable};
}

Error claim_not_available(const PostgresConnection& connection, const ActingAs& as) {
  const db::PostgresFailure& failure = connection.failure();
  if (db::is_passing(failure)) return db::postgres_error(failure);
  return {ErrorCode::kForbidden,
          named(as) + " may not set all of the claims" +
              // In class 22 the words of the server quote a value.
              (failure.is_class("22") ? "" : ": " + failure.message) + " (SQLSTATE " +
              failure.sqlstate + "); make a token with other ones",
          kNotAvailable};
}

Error not_allowed(const ActingAs& as, const std::string& table,
                  const std::string& privilege) {
  const std::string grantee =
      as.role.empty() ? "it" : std::string(db::postgres_quoted(as.role));
  return {ErrorCode::kForbidden,
          named(as) + " lacks a privilege on table " + table + " that the job needs: " +
              privilege + "; let the table's owner run: GRANT " + privilege + " ON " +
              table + " TO " + grantee,
          kNotAllowed};
}

std::string list_of_literals(const std::set<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) {
    list += (list.empty() ? "(" : ", (") + db::postgres_literal(text) + ")";
  }
  return list;
}

// Tables of foreign keys, both ways, of which the role does not see every row.
Result<std::set<std::string>> read_hidden(PostgresConnection& connection,
                                          const PostgresTable& table) {
  std::set<std::string> hidden;
  for (const auto& key : table.foreign_keys) hidden.insert(key.parent_sql_name);
  for (const auto& reference : table.references) hidden.insert(reference.child_sql_name);
  if (hidden.empty()) return hidden;
  TALLY_TRY_ASSIGN(
      const auto seen,
      connection.exec(
          "SELECT other.name FROM (VALUES " + list_of_literals(hidden) +
          ") AS other(name) JOIN pg_catalog.pg_namespace n ON true "
          "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid "
          "AND c.relkind IN ('r', 'p') AND other.name = '\"' || replace(n.nspname, "
          "'\"', '\"\"') || '\".\"' || replace(c.relname, '\"', '\"\"') || '\"' "
          "WHERE has_schema_privilege(n.oid, 'USAGE') "
          "AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)"));
  for (int row = 0; row < seen.rows(); ++row) {
    hidden.erase(std::string(seen.text(row, 0)));
  }
  return hidden;
}

Result<bool> may_draw(PostgresConnection& connection, const PostgresSequence& sequence) {
  TALLY_TRY_ASSIGN(
      const auto rows,
      connection.execute(
          "SELECT has_schema_privilege(n.oid, 'USAGE') AND CASE WHEN s.relkind = 'S' "
          "THEN has_sequence_privilege(s.oid, 'USAGE, UPDATE') END "
          "FROM pg_catalog.pg_class s JOIN pg_catalog.pg_namespace n "
          "ON n.oid = s.relnamespace WHERE s.relkind = 'S' AND $1 = '\"' || "
          "replace(n.nspname, '\"', '\"\"') || '\".\"' || replace(s.relname, '\"', "
          "'\"\"') || '\"'",
          sequence.sql_name));
  return rows.rows() == 1 && rows.boolean(0, 0);
}

}  // namespace

Result<void> begin_acting(PostgresConnection& connection, const ActingAs& as) {
  if (!as.role.empty()) {
    const auto set = connection.execute("SELECT set_config('role', $1, true)", as.role);
    if (!set.ok()) return role_not_available(connection, as);
  }
  if (as.claims.empty()) return {};
  db::PostgresParams params;
  std::string sql = "SELECT";
  for (const auto& [name, value] : as.claims) {
    params.add(name);
    params.add(value);
    sql += (params.size() == 2 ? " set_config($" : ", set_config($") +
           std::to_string(params.size() - 1) + ", $" + std::to_string(params.size()) +
           ", true)";
  }
  const auto set = connection.execute_params(sql, params);
  if (!set.ok()) return claim_not_available(connection, as);
  return {};
}

Result<void> end_acting(PostgresConnection& connection, const ActingAs& as) {
  if (!as.is_somebody()) return {};
  std::string sql = "SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL ROLE NONE";
  for (const auto& [name, value] : as.claims) {
    sql += "; SET LOCAL " + quoted_claim(name) + " TO DEFAULT";
  }
  TALLY_TRY(connection.exec(sql));
  return {};
}

Result<void> read_postgres_rights(PostgresConnection& connection, PostgresTable& table) {
  TALLY_TRY_ASSIGN(
      const auto whole,
      connection.execute(
          "SELECT has_schema_privilege(c.relnamespace, 'USAGE'), "
          "has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'), "
          "has_table_privilege(c.oid, 'DELETE'), has_table_privilege(c.oid, 'SELECT'), "
          "row_security_active(c.oid) "
          "FROM pg_catalog.pg_class c WHERE c.oid = $1",
          table.oid));
  TALLY_TRY_ASSIGN(
      const auto columns,
      connection.execute("SELECT has_column_privilege(attrelid, attnum, 'INSERT'), "
                         "has_column_privilege(attrelid, attnum, 'UPDATE'), "
                         "has_column_privilege(attrelid, attnum, 'SELECT') "
                         "FROM pg_catalog.pg_attribute WHERE attrelid = $1 "
                         "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                         table.oid));
  const auto count = static_cast<std::size_t>(columns.rows());
  if (whole.rows() != 1 || count != table.columns.size()) {
    return Error{ErrorCode::kConflict, "table \"" + table.resource.table +
                                           "\" has been changed meanwhile; try again"};
  }
  PostgresRights rights{.use_schema = whole.boolean(0, 0),
                        .lock = whole.boolean(0, 1),
                        .remove = whole.boolean(0, 2),
                        .read = whole.boolean(0, 3)};
  for (int row = 0; row < columns.rows(); ++row) {
    rights.insert.push_back(columns.boolean(row, 0));
    rights.update.push_back(columns.boolean(row, 1));
    rights.select.push_back(columns.boolean(row, 2));
  }
  table.row_security_active = whole.boolean(0, 4);
  table.rights = std::move(rights);
  TALLY_TRY_ASSIGN(table.hidden, read_hidden(connection, table));
  if (table.sequence) {
    TALLY_TRY_ASSIGN(const bool draws, may_draw(connection, *table.sequence));
    if (!draws) table.sequence.reset();
  }
  return {};
}

namespace {

// Places in the table that the write reads: what names and finds rows, and what a record
// is compared with.
std::set<std::size_t> read_places(const PostgresWrite& write) {
  std::set<std::size_t> places(write.id_fields.begin(), write.id_fields.end());
  const auto& keys = write.table.resource.keys;
  if (write.plan.key) {
    places.insert(keys[*write.plan.key].fields.begin(),
                  keys[*write.plan.key].fields.end());
  }
  if (write.plan.records_may_lack_fields) return places;
  for (std::size_t column = 0; column < write.places.size(); ++column) {
    if (write.plan.bound[column] && write.plan.written_on_match[column]) {
      places.insert(write.places[column]);
    }
  }
  return places;
}

// "INSERT (\"a\", \"b\")": of the fields those that are lacking; empty: none.
std::string lacking(const PostgresWrite& write, const char* privilege,
                    const std::vector<bool>& rights,
                    const std::set<std::size_t>& places) {
  std::vector<std::string> names;
  for (const std::size_t place : places) {
    if (!rights[place]) names.push_back(write.table.columns[place].sql_name);
  }
  return names.empty() ? "" : std::string(privilege) + " (" + join(names, ", ") + ")";
}

}  // namespace

Result<void> check_postgres_rights(const PostgresWrite& write, const ActingAs& as) {
  if (!write.table.rights) return {};
  const PostgresRights& rights = *write.table.rights;
  const std::string& table = write.table.sql_name;
  if (!rights.use_schema) {
    const std::string schema = db::postgres_quoted(write.table.schema);
    return Error{ErrorCode::kForbidden,
                 named(as) + " may not use the schema of table " + table +
                     "; let its owner run: GRANT USAGE ON SCHEMA " + schema + " TO it",
                 kNotAllowed};
  }
  const Operation operation = write.plan.operation;
  const bool inserts = operation == Operation::kInsert || operation == Operation::kUpsert;
  const bool updates = operation != Operation::kInsert && operation != Operation::kDelete;
  const auto any = [](const std::vector<bool>& of) {
    return std::find(of.begin(), of.end(), true) != of.end();
  };
  if (operation == Operation::kDelete && !rights.remove) {
    return not_allowed(as, table, "DELETE");
  }
  if (inserts && !any(rights.insert)) return not_allowed(as, table, "INSERT");
  if (updates && !any(rights.update)) return not_allowed(as, table, "UPDATE");

  std::set<std::size_t> sent;
  std::set<std::size_t> changed;
  for (std::size_t column = 0; column < write.places.size(); ++column) {
    if (!write.plan.bound[column] || write.plan.records_may_lack_fields) continue;
    sent.insert(write.places[column]);
    if (write.plan.written_on_match[column]) changed.insert(write.places[column]);
  }
  if (updates) changed.insert(write.replaceable.begin(), write.replaceable.end());
  std::vector<std::string> missing;
  if (inserts) missing.push_back(lacking(write, "INSERT", rights.insert, sent));
  if (updates) missing.push_back(lacking(write, "UPDATE", rights.update, changed));
  missing.push_back(lacking(write, "SELECT", rights.select, read_places(write)));
  for (const std::string& privilege : missing) {
    if (!privilege.empty()) return not_allowed(as, table, privilege);
  }
  return {};
}

}  // namespace tallyman
