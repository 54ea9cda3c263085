// SqliteDatabase: one SQLite file as a Database: one writer, taken in turn, and a pool of
// readers beside it.
//
//   TALLY_TRY_ASSIGN(const std::string path, sqlite_path("sqlite:app.db"));
//   TALLY_TRY_ASSIGN(auto lock, SqliteProcessLock::take(path));     // a server only
//   TALLY_TRY_ASSIGN(auto database, SqliteDatabase::open({.path = path}));
//   TALLY_TRY_ASSIGN(auto transaction, database->begin_write(database->writer_wait()));
//   sqlite(*transaction).prepare("INSERT ...");
//
// Ownership: the database must outlive its transactions.
// Threads:   database: any; transaction: one at a time. A thread that holds the writer
//            must not ask for it again.
// Memory:    32 MiB of page cache for the writer, at most 2 MiB for each reader.
// Errors:    see db/database.h; commit() is kLost where SQLite or a trigger has already
//            rolled the transaction back, kConflict where a deferred constraint is
//            broken.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "db/fair_lock.h"
#include "db/sqlite.h"

namespace tallyman::db {

class SqliteDatabase;

class SqliteTransaction final : public Transaction {
 public:
  ~SqliteTransaction() override;
  Result<void> commit() override;
  void rollback() override;

  // REQUIRES: neither committed nor rolled back.
  SqliteConnection& connection() { return *connection_; }
  // False where SQLite or a trigger has rolled back: nothing more may be written.
  bool is_open() const { return connection_ && !connection_->autocommit(); }

 private:
  friend class SqliteDatabase;
  SqliteTransaction(SqliteDatabase& database,
                    std::unique_ptr<SqliteConnection> connection, bool writes)
      : database_(database), connection_(std::move(connection)), writes_(writes) {}
  void finish();

  SqliteDatabase& database_;
  std::unique_ptr<SqliteConnection> connection_;  // Null: over.
  const bool writes_;
};

// The connection of a SQLite backend's transaction. REQUIRES: it is a SqliteTransaction.
SqliteConnection& sqlite(Transaction& transaction);

struct SqliteOptions {
  std::string path;
  bool create = false;  // Make the file where it is missing.
  std::chrono::milliseconds writer_wait = kLockWait;
};

class SqliteDatabase final : public Database {
 public:
  static Result<std::unique_ptr<SqliteDatabase>> open(const SqliteOptions& options);

  Result<std::unique_ptr<Transaction>> begin_write(
      std::chrono::milliseconds wait) override;
  Result<std::unique_ptr<Transaction>> begin_read() override;

  std::chrono::milliseconds writer_wait() const override { return writer_wait_; }
  const std::string& path() const { return path_; }

 private:
  friend class SqliteTransaction;
  explicit SqliteDatabase(const SqliteOptions& options)
      : path_(options.path), writer_wait_(options.writer_wait) {}
  Result<std::unique_ptr<SqliteConnection>> open_writer(bool create) const;
  Result<std::unique_ptr<SqliteConnection>> take_reader();
  Result<std::unique_ptr<SqliteConnection>> begin_immediate(
      std::chrono::steady_clock::time_point deadline);
  void give_back_writer(std::unique_ptr<SqliteConnection> connection);
  void give_back_reader(std::unique_ptr<SqliteConnection> connection);

  const std::string path_;
  const std::chrono::milliseconds writer_wait_;
  FairLock writer_turn_;
  std::unique_ptr<SqliteConnection> writer_;  // The turn's holder takes it out.
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_readers_;  // By readers_mutex_.
};

// The file that "sqlite:app.db" or "sqlite:///srv/app.db" names. kInvalidArgument for any
// other URL, and for databases in memory.
Result<std::string> sqlite_path(std::string_view url);

// Keeps a second server away from the database: a lock on the file
// "<path>-tallyman.lock", let go by the end of this object or of the process.
class SqliteProcessLock {
 public:
  // kConflict names the process that holds it.
  static Result<std::unique_ptr<SqliteProcessLock>> take(const std::string& path);
  ~SqliteProcessLock();
  SqliteProcessLock(const SqliteProcessLock&) = delete;
  SqliteProcessLock& operator=(const SqliteProcessLock&) = delete;

 private:
  explicit SqliteProcessLock(int file) : file_(file) {}
  const int file_;
};

}  // namespace tallyman::db
