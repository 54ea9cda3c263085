// PostgresDatabase: a PostgreSQL database as a Database: a pool of connections, each lent
// to one transaction.
//
//   TALLY_TRY_ASSIGN(auto database, PostgresDatabase::open({.url = "postgresql://..."}));
//   TALLY_TRY_ASSIGN(auto transaction, database->begin_write(database->writer_wait()));
//   TALLY_TRY(postgres(*transaction).execute("INSERT ...", 17));
//   TALLY_TRY(transaction->commit());
//
// Every transaction says for itself what it needs of the session (SET LOCAL): times in
// UTC, ISO dates, lock_timeout (the wait it was begun with), statement_timeout, an end to
// transactions that stand idle, and synchronous_commit where the server's default would
// acknowledge what is not on its disk. So a pooler that gives each transaction another
// session may stand in between.
//
// Ownership: the database must outlive its transactions.
// Threads:   database: any; transaction: one at a time. A thread that holds a transaction
//            may begin another: it takes a second connection.
// Memory:    per connection what libpq takes, 16 KiB and a result. A connection that was
//            needed once stays open, up to connections_max of them.
// Errors:    see db/database.h; commit() is kUnavailable where its reply was lost (the
//            ledger tells whether it took place), kConflict where a deferred constraint
//            is broken, kLost where the server had rolled back already.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "db/postgres.h"

namespace tallyman::db {

class PostgresDatabase;

class PostgresTransaction final : public Transaction {
 public:
  ~PostgresTransaction() override;
  Result<void> commit() override;
  void rollback() override;

  // REQUIRES: neither committed nor rolled back.
  PostgresConnection& connection() { return *connection_; }

 private:
  friend class PostgresDatabase;
  PostgresTransaction(PostgresDatabase& database,
                      std::unique_ptr<PostgresConnection> connection)
      : database_(database), connection_(std::move(connection)) {}
  void finish();

  PostgresDatabase& database_;
  std::unique_ptr<PostgresConnection> connection_;  // Null: over.
};

// The connection of a PostgreSQL backend's transaction. REQUIRES: it is a
// PostgresTransaction.
PostgresConnection& postgres(Transaction& transaction);

// How long the server keeps a transaction of which it hears nothing; who writes for long
// and is ended by whoever takes over has as much.
inline constexpr std::chrono::milliseconds kIdleInTransactionTime{60'000};

struct PostgresOptions {
  std::string url;
  std::chrono::milliseconds writer_wait{5'000};
  std::size_t connections_max = 20;
  // One statement of ours; longer than any should take.
  std::chrono::milliseconds statement_time{300'000};
  // The same of one that writes: its locks would hold up the node that takes over from
  // one that was cut off.
  std::chrono::milliseconds idle_in_writing_time{10'000};
};

class PostgresDatabase final : public Database {
 public:
  // Connects once, to see that it can.
  static Result<std::unique_ptr<PostgresDatabase>> open(const PostgresOptions& options);

  Result<std::unique_ptr<Transaction>> begin_write(
      std::chrono::milliseconds wait) override;
  // One snapshot (REPEATABLE READ), as of now. Temporary tables may be made in it.
  Result<std::unique_ptr<Transaction>> begin_read() override;

  std::chrono::milliseconds writer_wait() const override { return options_.writer_wait; }

  // A connection of its own, for LISTEN: not of the pool, not counted.
  Result<std::unique_ptr<PostgresConnection>> connect() const;

  // True of a backend_pid() of one of the pool's connections. False behind a pooler.
  bool is_session(int backend_pid) const;

 private:
  friend class PostgresTransaction;
  explicit PostgresDatabase(const PostgresOptions& options) : options_(options) {}
  Result<std::unique_ptr<Transaction>> begin(const char* isolation,
                                             std::chrono::milliseconds wait,
                                             std::chrono::milliseconds idle,
                                             const char* take_snapshot = "");
  // Null: none is idle, and a new one may be made.
  Result<std::unique_ptr<PostgresConnection>> take(std::chrono::milliseconds wait);
  void give_back(std::unique_ptr<PostgresConnection> connection);
  void left();
  void joined(const PostgresConnection& connection);
  void close(std::unique_ptr<PostgresConnection> connection);

  const PostgresOptions options_;
  bool commits_too_early_ = false;  // synchronous_commit is off by default here.
  mutable std::mutex mutex_;        // Guards the three below.
  std::condition_variable freed_;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;
  std::size_t in_use_ = 0;
  std::vector<int> sessions_;
};

// True for "postgresql://..." and "postgres://...".
bool is_postgres_url(std::string_view url);

}  // namespace tallyman::db
