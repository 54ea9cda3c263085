#include "db/sqlite_database.h"

#include <sqlite3.h>

#include <utility>

#include "base/check.h"

namespace tallyman::db {
namespace {

constexpr std::uint64_t kWriterCacheBytes = 32ULL << 20;
constexpr std::uint64_t kReaderCacheBytes = 2ULL << 20;
constexpr std::size_t kIdleReadersMax = 8;

Error busy(const std::string& path, std::string_view with) {
  return {ErrorCode::kUnavailable, "database " + path + " is busy with " +
                                       std::string(with) +
                                       "; nothing was done, try again in some seconds"};
}

bool is_busy(int code) {
  return (code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED;
}

}  // namespace

// --- SqliteTransaction ----------------------------------------------------------------

SqliteTransaction::~SqliteTransaction() {
  if (connection_) rollback();
}

Result<void> SqliteTransaction::commit() {
  CHECK(connection_ != nullptr);
  if (!is_open()) {
    finish();
    return Error{ErrorCode::kLost,
                 "the transaction was already rolled back by the database or a trigger"};
  }
  auto committed = connection_->exec("COMMIT");
  if (!committed.ok() && is_open()) (void)connection_->exec("ROLLBACK").ok();
  finish();
  return committed;
}

void SqliteTransaction::rollback() {
  CHECK(connection_ != nullptr);
  if (is_open()) (void)connection_->exec("ROLLBACK").ok();
  finish();
}

void SqliteTransaction::finish() {
  // What cannot even be rolled back is closed, which rolls back; the next one opens anew.
  if (!connection_->autocommit()) connection_.reset();
  if (writes_) {
    database_.give_back_writer(std::move(connection_));
  } else {
    database_.give_back_reader(std::move(connection_));
  }
}

SqliteConnection& sqlite(Transaction& transaction) {
  auto* own = dynamic_cast<SqliteTransaction*>(&transaction);
  CHECK(own != nullptr);
  return own->connection();
}

// --- SqliteDatabase -------------------------------------------------------------------

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(
    const SqliteOptions& options) {
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(options));
  TALLY_TRY_ASSIGN(database->writer_, database->open_writer(options.create));
  return database;
}

Result<std::unique_ptr<SqliteConnection>> SqliteDatabase::open_writer(bool create) const {
  return SqliteConnection::open({.path = path_,
                                 .create = create,
                                 .cache_bytes = kWriterCacheBytes,
                                 .lock_wait = writer_wait_});
}

Result<std::unique_ptr<Transaction>> SqliteDatabase::begin_write(
    std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  if (!writer_turn_.acquire_until(deadline)) return busy(path_, "other writes");
  auto connection = begin_immediate(deadline);
  if (!connection.ok()) {
    writer_turn_.release();
    return std::move(connection).error();
  }
  return std::unique_ptr<Transaction>(
      new SqliteTransaction(*this, std::move(connection).value(), true));
}

Result<std::unique_ptr<SqliteConnection>> SqliteDatabase::begin_immediate(
    std::chrono::steady_clock::time_point deadline) {
  if (!writer_) {
    TALLY_TRY_ASSIGN(writer_, open_writer(false));
  }
  writer_->wait_for_locks_until(deadline);
  if (auto begun = writer_->exec("BEGIN IMMEDIATE"); !begun.ok()) {
    if (!is_busy(writer_->extended_error_code())) {
      return std::move(begun).error().with_context("database " + path_);
    }
    return busy(path_, "a write of another program");
  }
  return std::move(writer_);
}

void SqliteDatabase::give_back_writer(std::unique_ptr<SqliteConnection> connection) {
  writer_ = std::move(connection);
  writer_turn_.release();
}

Result<std::unique_ptr<SqliteConnection>> SqliteDatabase::take_reader() {
  {
    const std::lock_guard lock(readers_mutex_);
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  return SqliteConnection::open({.path = path_,
                                 .read_only = true,
                                 .cache_bytes = kReaderCacheBytes,
                                 .lock_wait = writer_wait_});
}

Result<std::unique_ptr<Transaction>> SqliteDatabase::begin_read() {
  TALLY_TRY_ASSIGN(auto reader, take_reader());
  // Only for a crashed writer's log to be recovered, or for a stranger who holds the
  // whole file: readers do not wait for a writer.
  reader->wait_for_locks_until(std::chrono::steady_clock::now() + writer_wait_);
  // BEGIN alone takes no snapshot; the first read does.
  if (auto begun = reader->exec("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1");
      !begun.ok()) {
    if (!is_busy(reader->extended_error_code())) {
      return std::move(begun).error().with_context("database " + path_);
    }
    return busy(path_, "a write of another program");
  }
  return std::unique_ptr<Transaction>(
      new SqliteTransaction(*this, std::move(reader), false));
}

void SqliteDatabase::give_back_reader(std::unique_ptr<SqliteConnection> connection) {
  if (!connection) return;
  const std::lock_guard lock(readers_mutex_);
  if (idle_readers_.size() < kIdleReadersMax)
    idle_readers_.push_back(std::move(connection));
}

Result<std::string> sqlite_path(std::string_view url) {
  constexpr std::string_view kScheme = "sqlite:";
  if (!url.starts_with(kScheme)) {
    return Error{ErrorCode::kInvalidArgument,
                 "a SQLite database is written sqlite:FILE, for example sqlite:app.db"};
  }
  std::string_view path = url.substr(kScheme.size());
  if (path.starts_with("///")) path.remove_prefix(2);
  if (path.starts_with("//")) {
    return Error{
        ErrorCode::kInvalidArgument,
        "a SQLite database has no host: write sqlite:FILE or sqlite:///FOLDER/FILE"};
  }
  if (path.empty() || path.starts_with(":memory:")) {
    return Error{ErrorCode::kInvalidArgument,
                 "a SQLite database must be a file, for example sqlite:app.db"};
  }
  if (path.find('\0') != std::string_view::npos) {
    return Error{ErrorCode::kInvalidArgument, "a file name cannot hold a NUL byte"};
  }
  return std::string(path);
}

}  // namespace tallyman::db
