// postgres_read and postgres_write: a piece of work on a PostgreSQL connection in a
// transaction of its own.
//
//   return postgres_write(database_, [&](db::PostgresConnection& connection)
//       -> Result<Job> {...});
//
// The work returns a Result; postgres_write commits where it is ok and else leaves
// nothing. It may call the work again.
#pragma once

#include <utility>

#include "base/result.h"
#include "db/postgres_database.h"

namespace tallyman {

template <class Work>
auto postgres_read(db::Database& database, Work&& work)
    -> decltype(work(std::declval<db::PostgresConnection&>())) {
  TALLY_TRY_ASSIGN(auto transaction, database.begin_read());
  return std::forward<Work>(work)(db::postgres(*transaction));
}

// Whom the database has chosen to end a deadlock, or a conflict of snapshots, has done
// nothing: it is done again, so often.
inline constexpr int kDeadlocksMax = 5;

template <class Work>
auto postgres_write(db::Database& database, Work&& work)
    -> decltype(work(std::declval<db::PostgresConnection&>())) {
  for (int deadlocks = 0;; ++deadlocks) {
    TALLY_TRY_ASSIGN(auto transaction, database.begin_write(database.writer_wait()));
    db::PostgresConnection& connection = db::postgres(*transaction);
    auto done = work(connection);
    if (done.ok()) {
      TALLY_TRY(transaction->commit());
      return done;
    }
    const bool is_victim =
        done.error().code == ErrorCode::kUnavailable &&
        (connection.failure().is("40P01") || connection.failure().is("40001"));
    if (!is_victim || deadlocks == kDeadlocksMax) return done;
  }
}

// The channel on which every node tells the others that something has changed.
inline constexpr const char* kPostgresChannel = "tallyman";

// Its payload where no worker is concerned (JobStore::announce_unit()); else empty.
inline constexpr const char* kPostgresUnit = "unit";

// Tells it when the transaction commits. Of several in one transaction PostgreSQL sends
// one.
inline Result<void> postgres_notify(db::PostgresConnection& connection) {
  TALLY_TRY(connection.exec("NOTIFY tallyman"));
  return {};
}
inline Result<void> postgres_notify_unit(db::PostgresConnection& connection) {
  TALLY_TRY(connection.exec("NOTIFY tallyman, 'unit'"));
  return {};
}

}  // namespace tallyman
