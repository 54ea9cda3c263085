// The tables of ours in a PostgreSQL database: schema `tallyman`.
//
//   TALLY_TRY(prepare_postgres_schema(database));  // tallyman migrate
//   TALLY_TRY(check_postgres_schema(database));    // at the start of a node
//
// Threads: any; so may several nodes at once: they go one after the other.
// Errors:  kInvalidArgument  the tables were made by a newer program; or the role may not
//                            make them: names the grant that it needs
#pragma once

#include "base/result.h"
#include "db/database.h"

namespace tallyman {

// Raised by every change of the tables.
inline constexpr int kPostgresSchemaVersion = 3;

// Makes schema and tables where they are missing, and brings those of an older program up
// to this version, in one transaction; leaves them as they are where they are of it.
Result<void> prepare_postgres_schema(db::Database& database);

// Writes nothing. kInvalidArgument also where the tables are missing or of an older
// program.
Result<void> check_postgres_schema(db::Database& database);

}  // namespace tallyman
