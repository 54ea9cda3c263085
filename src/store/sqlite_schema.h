// The tables of ours in a SQLite database. All begin with tallyman_.
//
//   TALLY_TRY(prepare_sqlite_schema(database));  // once, before any store is used
//
// Threads: any.
// Errors:  kInvalidArgument  the tables were made by a newer program
#pragma once

#include "base/result.h"
#include "db/database.h"

namespace tallyman {

// Raised by every change of the tables.
inline constexpr int kSqliteSchemaVersion = 3;

// Makes the tables where they are missing, and brings those of an older program up to
// this version, in one transaction; leaves them as they are where they are of it.
Result<void> prepare_sqlite_schema(db::Database& database);

}  // namespace tallyman
