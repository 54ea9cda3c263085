#include "db/postgres_database.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tallyman::db {
namespace {

std::string set_local(std::string_view name, std::chrono::milliseconds time) {
  // 0 would be no limit at all.
  return "; SET LOCAL " + std::string(name) + " = " +
         std::to_string(std::max<std::int64_t>(1, time.count()));
}

}  // namespace

// --- PostgresTransaction --------------------------------------------------------------

PostgresTransaction::~PostgresTransaction() {
  if (connection_) rollback();
}

Result<void> PostgresTransaction::commit() {
  CHECK(connection_ != nullptr);
  auto committed = connection_->exec("COMMIT");
  const bool answered = connection_->is_usable();
  finish();
  if (!committed.ok() && !answered) {
    return std::move(committed).error().with_context(
        "the answer to a commit was lost, so it may have taken place");
  }
  TALLY_TRY(committed);
  // A transaction that has failed ends so, without an error.
  if (committed.value().tag() != "COMMIT") {
    return Error{ErrorCode::kLost, "the transaction was already rolled back"};
  }
  return {};
}

void PostgresTransaction::rollback() {
  CHECK(connection_ != nullptr);
  if (connection_->is_usable()) (void)connection_->exec("ROLLBACK").ok();
  finish();
}

void PostgresTransaction::finish() { database_.give_back(std::move(connection_)); }

PostgresConnection& postgres(Transaction& transaction) {
  auto* own = dynamic_cast<PostgresTransaction*>(&transaction);
  CHECK(own != nullptr);
  return own->connection();
}

// --- PostgresDatabase -----------------------------------------------------------------

Result<std::unique_ptr<PostgresDatabase>> PostgresDatabase::open(
    const PostgresOptions& options) {
  std::unique_ptr<PostgresDatabase> database(new PostgresDatabase(options));
  TALLY_TRY_ASSIGN(auto connection, database->connect());
  TALLY_TRY_ASSIGN(const auto asked,
                   connection->exec("SELECT current_setting('synchronous_commit'), "
                                    "current_setting('server_encoding')"));
  database->commits_too_early_ = asked.text(0, 0) == "off";
  if (asked.text(0, 1) != "UTF8") {
    return Error{ErrorCode::kInvalidArgument,
                 "the database's encoding is " + std::string(asked.text(0, 1)) +
                     "; UTF8 is needed, so that every text that is sent can be kept"};
  }
  database->joined(*connection);
  database->idle_.push_back(std::move(connection));
  return database;
}

Result<std::unique_ptr<PostgresConnection>> PostgresDatabase::connect() const {
  return PostgresConnection::open(
      {.url = options_.url,
       .answer_time = options_.statement_time + std::chrono::seconds(10)});
}

Result<std::unique_ptr<PostgresConnection>> PostgresDatabase::take(
    std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait_for(lock, wait, [&] { return in_use_ < options_.connections_max; })) {
    return Error{
        ErrorCode::kUnavailable,
        "all " + std::to_string(options_.connections_max) +
            " connections to the database are in use "
            "(database_connections_max); nothing was done, try again in some seconds"};
  }
  ++in_use_;
  if (idle_.empty()) return std::unique_ptr<PostgresConnection>();
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void PostgresDatabase::give_back(std::unique_ptr<PostgresConnection> connection) {
  // What is not between transactions is closed, which rolls back.
  if (!connection->is_idle()) close(std::move(connection));
  const std::lock_guard lock(mutex_);
  if (connection) idle_.push_back(std::move(connection));
  --in_use_;
  freed_.notify_one();
}

void PostgresDatabase::left() {
  const std::lock_guard lock(mutex_);
  --in_use_;
  freed_.notify_one();
}

void PostgresDatabase::joined(const PostgresConnection& connection) {
  const std::lock_guard lock(mutex_);
  sessions_.push_back(connection.backend_pid());
}

void PostgresDatabase::close(std::unique_ptr<PostgresConnection> connection) {
  const std::lock_guard lock(mutex_);
  std::erase(sessions_, connection->backend_pid());
}

bool PostgresDatabase::is_session(int backend_pid) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::find(sessions_, backend_pid) != sessions_.end();
}

Result<std::unique_ptr<Transaction>> PostgresDatabase::begin(
    const char* isolation, std::chrono::milliseconds wait, std::chrono::milliseconds idle,
    const char* take_snapshot) {
  const std::string begin =
      "BEGIN ISOLATION LEVEL " + std::string(isolation) +
      set_local("lock_timeout", wait) +
      set_local("statement_timeout", options_.statement_time) +
      set_local("idle_in_transaction_session_timeout", idle) +
      (commits_too_early_ ? "; SET LOCAL synchronous_commit = on" : "") +
      "; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'"
      "; SET LOCAL intervalstyle = 'postgres'; SET LOCAL bytea_output = 'hex'"
      "; SET LOCAL extra_float_digits = 1" +
      take_snapshot;
  TALLY_TRY_ASSIGN(auto connection, take(wait));
  if (connection) {
    auto begun = connection->exec(begin);
    if (begun.ok()) {
      return std::unique_ptr<Transaction>(
          new PostgresTransaction(*this, std::move(connection)));
    }
    // One that stood idle may have been closed meanwhile: a new one tells.
    close(std::move(connection));
  }
  auto opened = connect();
  if (!opened.ok()) {
    left();
    return std::move(opened).error();
  }
  connection = std::move(opened).value();
  joined(*connection);
  auto begun = connection->exec(begin);
  if (!begun.ok()) {
    close(std::move(connection));
    left();
    return std::move(begun).error();
  }
  return std::unique_ptr<Transaction>(
      new PostgresTransaction(*this, std::move(connection)));
}

Result<std::unique_ptr<Transaction>> PostgresDatabase::begin_write(
    std::chrono::milliseconds wait) {
  return begin("READ COMMITTED", wait, options_.idle_in_writing_time);
}

Result<std::unique_ptr<Transaction>> PostgresDatabase::begin_read() {
  return begin("REPEATABLE READ", options_.writer_wait, kIdleInTransactionTime,
               "; SELECT 1");  // Now.
}

bool is_postgres_url(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

}  // namespace tallyman::db
