// Acting as somebody: a stretch of a transaction in which PostgreSQL sees the role and
// the claims of a job, so that the application's grants and row-level security hold for
// it; and what that role may do with a table.
//
//   TALLY_TRY(begin_acting(connection, as));
//   ... the user's table, and nothing of ours ...
//   TALLY_TRY(end_acting(connection, as));
//
// Of nobody (!as.is_somebody()) each of the two does nothing and asks nothing.
//
// Threads: one, with the connection, in a transaction.
// Errors:  kForbidden (ROLE_NOT_AVAILABLE)  there is no such role any more, the server's
//                 own may not take it on, or a claim cannot be set: names it and the next
//                 step
//          kForbidden (ROLE_NOT_ALLOWED)    the role lacks a privilege: names it
//          After an error the transaction has failed: roll it back.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/postgres.h"
#include "model/acting_as.h"
#include "target/postgres_table.h"
#include "target/postgres_write.h"

namespace tallyman {

// SET LOCAL ROLE, and the claims: until end_acting() or the end of the transaction.
Result<void> begin_acting(db::PostgresConnection& connection, const ActingAs& as);

// Checks what is still to be checked (SET CONSTRAINTS ALL IMMEDIATE), as the role; then
// the server's own role and its settings again.
Result<void> end_acting(db::PostgresConnection& connection, const ActingAs& as);

// Tells in the table what depends on the role, as the present role has it: row security,
// rights, what it may draw from, and what of other tables is hidden from it. REQUIRES:
// begin_acting().
Result<void> read_postgres_rights(db::PostgresConnection& connection,
                                  PostgresTable& table);

// What the write needs and the role lacks. Where records may lack fields only what every
// record needs; of the rest each record is judged by the database.
Result<void> check_postgres_rights(const PostgresWrite& write, const ActingAs& as);

}  // namespace tallyman
