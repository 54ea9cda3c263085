// SqliteTable: a table as SQLite describes it, with what writing into it must know.
//
//   TALLY_TRY_ASSIGN(const SqliteTable table, read_sqlite_table(connection, "people"));
//   table.resource                      // what the rest of the program sees
//   table.keys[0].collations            // what the database compares by
//
// Errors: kNotFound         no such table
//         kInvalidArgument  a view, a virtual or internal table, too many columns
// Threads: reading uses the connection; a SqliteTable is a plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/sqlite.h"
#include "model/resource.h"
#include "model/unit.h"
#include "target/sqlite_type.h"

namespace tallyman {

// A unique key by which rows can be found: beside Resource::keys.
struct SqliteKey {
  std::vector<std::string> collations;  // Of the index, beside Key::fields.
};

// A foreign key of another table (or of this one) that points here.
struct SqliteReference {
  std::string child_table;
  std::vector<std::string> child_columns;
  std::vector<std::string> parent_columns;  // Names of this table's columns.
  bool acts_on_delete = false;  // CASCADE, SET NULL, SET DEFAULT: no violation by itself.
  bool acts_on_update = false;
};

struct SqliteTable {
  Resource resource;  // All columns, no rules.

  // Beside resource.fields.
  std::vector<SqliteAffinity> affinities;
  // Beside resource.keys.
  std::vector<SqliteKey> keys;
  std::vector<SqliteReference> references;

  // The INTEGER PRIMARY KEY: another name of the rowid, made up where it is NULL.
  std::optional<std::size_t> rowid_column;
  // What the rowid is called; empty: WITHOUT ROWID, or columns have taken all its names.
  std::string rowid_name;
  RowIdKind row_id_kind = RowIdKind::kNone;

  // The definition has an ON CONFLICT clause: without OR ABORT it would swallow records.
  bool has_conflict_clauses = false;
  bool has_triggers = false;
  // No trigger and no deferred foreign key takes part in an insert, or in a change of
  // rows (of this table and of all that follow it by CASCADE and the like): then a
  // statement that fails has done nothing, and one that does not is final.
  bool insert_is_simple = false;
  bool change_is_simple = false;

  // PRAGMA schema_version when it was read: equal means that nothing has changed.
  std::int64_t schema_version = 0;
};

Result<SqliteTable> read_sqlite_table(db::SqliteConnection& connection,
                                      std::string_view name);

// Ordinary tables that are neither SQLite's nor ours, by name.
Result<std::vector<std::string>> list_sqlite_tables(db::SqliteConnection& connection);

Result<std::int64_t> read_schema_version(db::SqliteConnection& connection);

}  // namespace tallyman
