// read_in and write_in: a piece of work on a SQLite connection in a transaction of its
// own.
//
//   return write_in(database_, [&](db::SqliteConnection& connection) -> Result<Job>
//   {...});
//
// The work returns a Result; write_in commits where it is ok and else leaves nothing.
#pragma once

#include <utility>

#include "base/result.h"
#include "db/sqlite_database.h"

namespace tallyman {

template <class Work>
auto read_in(db::Database& database, Work&& work)
    -> decltype(work(std::declval<db::SqliteConnection&>())) {
  TALLY_TRY_ASSIGN(auto transaction, database.begin_read());
  return std::forward<Work>(work)(db::sqlite(*transaction));
}

template <class Work>
auto write_in(db::Database& database, Work&& work)
    -> decltype(work(std::declval<db::SqliteConnection&>())) {
  TALLY_TRY_ASSIGN(auto transaction, database.begin_write(database.writer_wait()));
  auto done = std::forward<Work>(work)(db::sqlite(*transaction));
  if (done.ok()) TALLY_TRY(transaction->commit());
  return done;
}

}  // namespace tallyman
