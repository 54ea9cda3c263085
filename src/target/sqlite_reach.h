// What a statement on a SQLite table reaches beyond its rows: foreign keys of both sides,
// triggers, and everything that follows by CASCADE and the like.
//
// Threads: the connection's.
#pragma once

#include "base/result.h"
#include "db/sqlite.h"
#include "target/sqlite_table.h"

namespace tallyman {

// Fills in foreign_keys, references, schema_fingerprint and what the fast path asks for.
// REQUIRES: the columns and the table's name are there.
Result<void> read_sqlite_reach(db::SqliteConnection& connection, SqliteTable& table);

}  // namespace tallyman
