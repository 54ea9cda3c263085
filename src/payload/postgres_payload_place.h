// Where the uploads of a PostgreSQL database lie is one place for all of its nodes: the
// database itself, or one folder that they share. The first node settles it.
//
//   TALLY_TRY(settle_payload_database(database));               // or
//   TALLY_TRY(settle_payload_folder(database, folder, random));
//
// A folder is known by the file "identity" in it, so that it may be mounted anywhere; one
// that another database uses is refused, for each would remove what the other keeps.
//
// Safe to call by any number of nodes at once.
//
// Errors: kConflict  the uploads lie somewhere else: says where, and how to move them
//         and as File and Database
#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"
#include "db/database.h"

namespace tallyman {

// REQUIRES: prepare_postgres_payload_schema().
Result<void> settle_payload_database(db::Database& database);
// REQUIRES: the same; the folder is there.
Result<void> settle_payload_folder(db::Database& database, const std::string& folder,
                                   Random& random);

}  // namespace tallyman
