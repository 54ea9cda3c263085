// Database and Transaction: the one transaction in which a unit's rows, its outcomes and
// the proof that its worker may still write are committed together.
//
//   TALLY_TRY_ASSIGN(auto transaction, database.begin_write(database.writer_wait()));
//   ... store and target write through *transaction ...
//   TALLY_TRY(transaction->commit());
//
// A transaction that dies uncommitted is rolled back. The store and the target of a
// backend know which Transaction theirs is; nobody else looks inside.
//
// Threads: Database: any. Transaction: one at a time.
// Errors:  kUnavailable  the database (or its one writer) is not to be had in time;
//                        nothing was done
//          kOutOfSpace   the disk is full
#pragma once

#include <chrono>
#include <memory>

#include "base/result.h"

namespace tallyman::db {

class Transaction {
 public:
  virtual ~Transaction() = default;
  // REQUIRES: neither was called before. After an error nothing is committed.
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;
};

class Database {
 public:
  virtual ~Database() = default;

  // Waits at most `wait` for its turn (SQLite has one writer; turns are first come, first
  // served) and for locks that strangers hold.
  virtual Result<std::unique_ptr<Transaction>> begin_write(
      std::chrono::milliseconds wait) = 0;

  // A snapshot that does not change until it is let go. Keep it short: SQLite's
  // write-ahead log grows as long as somebody reads an old state.
  virtual Result<std::unique_ptr<Transaction>> begin_read() = 0;

  // How long a request waits for locks and for the writer's turn before it is told to
  // come back. A setting (writer_wait).
  virtual std::chrono::milliseconds writer_wait() const = 0;
};

}  // namespace tallyman::db
