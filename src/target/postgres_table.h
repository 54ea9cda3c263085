// PostgresTable: a table as PostgreSQL describes it, with what writing into it must know.
//
//   TALLY_TRY_ASSIGN(const PostgresTable table,
//                    read_postgres_table(connection, "sales.\"Order Lines\""));
//   table.resource                          // what the rest of the program sees
//   "UPDATE " + table.sql_name              // quoted and with its schema
//   table.columns[i].type.wire              // beside resource.fields[i]
//   if (auto why = why_one_by_one(table, PostgresAction::kInsert)) ... the general path
//
// Names: `table`, `schema.table`, each part quoted or not as in SQL; without a schema as
// the search_path finds it. An unquoted name is first taken as it is written, then in
// lower case. Every SQL text here names what it names with its schema, and holds nothing
// that is not from the catalogue.
//
// The role: privileges, row-level security and sequences are told for the connection's
// current role; read_postgres_rights() (postgres_acting.h) tells them for another one.
//
// Errors: kNotFound         no such table (with the nearest name)
//         kInvalidArgument  a view, a foreign table, one of the system's or of ours, too
//                           many columns
// Threads: reading uses the connection, in a transaction; a PostgresTable is a plain
//          value.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/postgres.h"
#include "model/resource.h"
#include "model/unit.h"
#include "target/postgres_type.h"

namespace tallyman {

// Beside Resource::fields.
struct PostgresColumn {
  PostgresType type;
  std::string sql_name;     // Quoted.
  std::int16_t number = 0;  // pg_attribute.attnum.
  // Where it is not its type's own: quoted and with its schema; else empty.
  std::string sql_collation;
  // GENERATED ALWAYS AS IDENTITY: Field::generated, but COPY and OVERRIDING SYSTEM VALUE
  // may write it.
  bool identity_always = false;
  // The default calls a function that could have effects beyond its value: a volatile one
  // that is not a sequence's, a clock's, or one for random numbers and UUIDs.
  bool default_has_effects = false;
};

// Beside Resource::keys: the primary key, other unique keys by name, then partial ones by
// name.
struct PostgresKey {
  std::string sql_name;  // Of the index, quoted and with its schema.
  // What PostgreSQL says is broken where the row's place is a partition.
  std::vector<std::string> partition_names;
  bool is_constraint = false;
  bool deferrable = false;          // Cannot be named by ON CONFLICT.
  bool initially_deferred = false;  // Checked at the end of the transaction.
  bool nulls_are_equal = false;     // NULLS NOT DISTINCT.
  bool canonical = false;           // All of its columns' types are.
  // Of a partial index: only rows for which this is true have the key. In terms of the
  // table's columns, without their table's name; empty: all rows.
  std::string predicate;
};

// A unique index over expressions: no key of the resource, but a record may break it.
struct PostgresExpressionKey {
  std::string name;
  std::string sql_name;
  std::vector<std::string> partition_names;
  std::vector<std::string> terms;   // SQL for each of the index's columns.
  std::vector<std::size_t> fields;  // That the terms read.
  std::string predicate;
};

struct PostgresCheck {
  std::string name;
  // Of the table: in terms of its columns, without their table's name. Of a domain: in
  // terms of VALUE.
  std::string expression;
  std::vector<std::size_t> fields;  // Of a domain: the one that has it.
  bool of_domain = false;
};

// What happens to rows that point to one that goes or changes.
enum class PostgresFollow : std::uint8_t {
  kNoAction,
  kRestrict,
  kCascade,
  kSetNull,
  kSetDefault,
};

// Beside Resource::foreign_keys.
struct PostgresForeignKey {
  db::Oid parent_oid = 0;
  std::string parent_sql_name;                  // Quoted and with its schema.
  std::vector<std::string> parent_sql_columns;  // Quoted; beside ForeignKey::fields.
  std::vector<std::string> parent_types;        // Names for casts.
  bool match_full = false;                      // All NULL or none.
  bool deferrable = false;
  bool initially_deferred = false;
  bool to_itself = false;  // The parent is this table (or the tree that it is part of).
};

// A foreign key of another table (or of this one) that points here.
struct PostgresReference {
  std::string name;
  std::string child_sql_name;
  std::vector<std::string> child_sql_columns;
  std::vector<std::size_t> fields;  // Places in Resource::fields, beside the columns.
  PostgresFollow on_delete = PostgresFollow::kNoAction;
  PostgresFollow on_update = PostgresFollow::kNoAction;
  bool deferrable = false;
  bool initially_deferred = false;
  bool from_itself = false;
};

// What numbers a primary key of one integer column.
struct PostgresSequence {
  std::string sql_name;  // Quoted and with its schema: nextval(literal of this).
  std::int64_t increment = 1;
};

// A user's trigger that is not disabled, on the table or one of its partitions.
struct PostgresTrigger {
  std::string name;
  bool each_row = false;  // Else once a statement.
  bool before = false;    // Else after.
  bool on_insert = false;
  bool on_update = false;
  bool on_delete = false;
};

// What a role may do with the table; the lists stand beside Resource::fields.
struct PostgresRights {
  bool use_schema = false;
  bool lock = false;    // LOCK TABLE: asks for a privilege on the whole table.
  bool remove = false;  // DELETE.
  bool read = false;    // SELECT of the whole table.
  std::vector<bool> insert;
  std::vector<bool> update;
  std::vector<bool> select;
};

struct PostgresTable {
  // All columns, no rules. `table` is as list_postgres_tables() writes it, whichever way
  // the table was named.
  Resource resource;

  db::Oid oid = 0;
  std::string schema;
  std::string name;
  std::string sql_name;  // "schema"."name"

  std::vector<PostgresColumn> columns;                 // Beside resource.fields.
  std::vector<PostgresKey> keys;                       // Beside resource.keys.
  std::vector<PostgresExpressionKey> expression_keys;  // By name.
  std::vector<PostgresForeignKey> foreign_keys;        // Beside resource.foreign_keys.
  std::vector<PostgresCheck> checks;  // By name, the table's and the domains'.
  std::vector<PostgresReference> references;
  std::vector<PostgresTrigger> triggers;
  std::vector<std::string> exclusions;  // Names of EXCLUDE constraints.

  RowIdKind row_id_kind = RowIdKind::kNone;
  // What fills the primary key where a record does not: a serial's or an identity's
  // sequence, where the default is that and nothing else, it does not cycle, and the role
  // may draw from it.
  std::optional<PostgresSequence> sequence;

  bool has_rules = false;
  bool row_security = false;         // Enabled: for some role it may be active.
  bool row_security_active = false;  // For the present role.
  bool is_partitioned = false;
  bool is_partition = false;
  bool has_children = false;  // INHERITS: the table's rows are others' too.
  // DELETE or UPDATE changes, by CASCADE and the like, rows of this table again, or rows
  // of a table with triggers.
  bool follows_to_itself = false;
  bool follows_to_triggers = false;

  // Of a job that acts as somebody, and of nobody else: read_postgres_rights().
  std::optional<PostgresRights> rights;
  // Tables of foreign_keys and references (their sql_name) of which the role does not see
  // every row: what is not found there may be there.
  std::set<std::string> hidden;

  // See read_postgres_stamp().
  std::string stamp;
};

Result<PostgresTable> read_postgres_table(db::PostgresConnection& connection,
                                          std::string_view name);

// Ordinary and partitioned tables (no partitions) that the role may read or write, that
// are neither the system's nor ours, as read_postgres_table() takes them: without their
// schema where the search_path finds them.
Result<std::vector<std::string>> list_postgres_tables(db::PostgresConnection& connection);

// One small query; equal to PostgresTable::stamp means that nothing has changed: columns,
// types, defaults, constraints (those that point here too), indexes, triggers, rules,
// policies, partitions. Ask for it after the transaction holds a lock on the table (LOCK
// TABLE ... IN ROW EXCLUSIVE MODE, or a statement that writes): from then on nobody can
// change these. Empty where the table is gone. It may differ although nothing has changed
// (a GRANT): then compare Resource::schema_fingerprint, which is of the definition
// itself.
Result<std::string> read_postgres_stamp(db::PostgresConnection& connection,
                                        db::Oid table);

enum class PostgresAction : std::uint8_t { kInsert, kUpdate, kDelete };

// Why a statement over many rows might not end as one statement for each of them, in
// order; nothing: it ends the same, or it fails. For people: "table people has the
// trigger audit".
// Keys within one statement (two records for one row) are not looked at here.
std::optional<std::string> why_one_by_one(const PostgresTable& table,
                                          PostgresAction action);

// The same, of records that are written one by one, but side by side with others: what
// stands after a row's writing (AFTER triggers) may be in any order.
std::optional<std::string> why_in_file_order(const PostgresTable& table,
                                             PostgresAction action);

// Why COPY may not write the table; nothing: it may, where why_one_by_one() finds nothing
// either and every column that is sent has a wire form.
std::optional<std::string> why_no_copy(const PostgresTable& table);

}  // namespace tallyman
