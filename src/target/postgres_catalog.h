// PostgresCatalogReader: what the parts of read_postgres_table() share: the connection,
// the table they ask about, and the fingerprint of all they are told.
//
//   TALLY_TRY_ASSIGN(const auto rows, reader.query("SELECT ... WHERE conrelid = $1", 3));
//   read_postgres_links(reader, table);
//
// While it lives names in SQL texts of the catalogue have their schema (the transaction's
// search_path is pg_catalog alone), so that they mean the same in any session.
//
// Ownership: borrows the connection, in a transaction. Threads: one.
#pragma once

#include <string>
#include <string_view>

#include "base/content_hash.h"
#include "base/result.h"
#include "db/postgres.h"
#include "target/postgres_table.h"

namespace tallyman {

class PostgresCatalogReader {
 public:
  static Result<std::unique_ptr<PostgresCatalogReader>> make(
      db::PostgresConnection& connection);
  ~PostgresCatalogReader();
  PostgresCatalogReader(const PostgresCatalogReader&) = delete;
  PostgresCatalogReader& operator=(const PostgresCatalogReader&) = delete;

  // $1 is the table. The first `definition` columns of the answer are of its definition
  // and go into the fingerprint; others (oids, what depends on the role) do not.
  Result<db::PostgresResult> query(std::string_view sql, db::Oid table, int definition);

  std::string fingerprint() { return hash_.finish(); }  // Once, at the end.

 private:
  explicit PostgresCatalogReader(db::PostgresConnection& connection)
      : connection_(connection) {}

  db::PostgresConnection& connection_;
  std::string search_path_;  // What it was.
  ContentHash hash_;
};

// Columns, types and defaults. kInvalidArgument: too many.
Result<void> read_postgres_columns(PostgresCatalogReader& reader, PostgresTable& table);
// Keys, and how the ledger names rows. REQUIRES: the columns are read.
Result<void> read_postgres_keys(PostgresCatalogReader& reader, PostgresTable& table);
// CHECKs, exclusions, foreign keys both ways, triggers. REQUIRES: the columns are read.
Result<void> read_postgres_links(PostgresCatalogReader& reader, PostgresTable& table);

// The place of a column by its number in the catalogue.
std::size_t place_of(const PostgresTable& table, std::int64_t column_number);

// $1 and, where it is partitioned, all of its partitions, as a set of rows (relid).
inline constexpr std::string_view kPostgresTree =
    "(SELECT relid::oid AS relid FROM pg_partition_tree($1::oid::regclass) "
    "UNION SELECT $1::oid)";

// The foreign keys that the table's rows are followed by: tables (relid) whose rows go or
// change by CASCADE and the like when rows of $1 do.
inline constexpr std::string_view kPostgresFollowers =
    "(WITH RECURSIVE followers(relid) AS ("
    "SELECT conrelid FROM pg_constraint WHERE contype = 'f' AND confrelid = $1::oid "
    "AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd')) "
    "UNION SELECT k.conrelid FROM pg_constraint k JOIN followers f "
    "ON k.confrelid = f.relid WHERE k.contype = 'f' "
    "AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))) "
    "SELECT relid FROM followers)";

}  // namespace tallyman
