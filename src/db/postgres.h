// PostgresConnection: libpq with owners, Results and deadlines.
//
//   TALLY_TRY_ASSIGN(auto connection, PostgresConnection::open({.url = url}));
//   TALLY_TRY_ASSIGN(const auto people, connection->execute(
//       "SELECT id, name FROM people WHERE age > $1", 41));
//   for (int row = 0; row < people.rows(); ++row) use(people.integer(row, 0));
//
//   TALLY_TRY_ASSIGN(auto copy, connection->copy_in("COPY people FROM STDIN (FORMAT
//   ...)")); TALLY_TRY(copy.write(bytes)); TALLY_TRY_ASSIGN(const std::int64_t rows,
//   copy.finish());
//
// Statements are not prepared by name: a pooler that gives each transaction another
// session may stand in between.
//
// Threads: a connection, its results' making and its COPY: one thread at a time; a result
//          that is there is a plain value.
// Memory:  a result is in memory whole.
// Errors:  by postgres_error(), below. Messages hold names of tables, columns and
//          constraints, and what a RAISE says; never a value of a row (no DETAIL, no
//          words about a value that cannot be read).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "db/postgres_params.h"

struct pg_conn;
struct pg_result;

namespace tallyman::db {

// What the server said when it refused a statement.
struct PostgresFailure {
  std::string sqlstate;  // Five characters; empty where the connection was lost.
  std::string message;   // The primary message: may quote a value where the class is 22.
  std::string schema;    // Of the table or type that is to blame; or empty, as below.
  std::string table;
  std::string column;
  std::string constraint;

  bool is(std::string_view state) const { return sqlstate == state; }
  bool is_class(std::string_view two) const { return sqlstate.starts_with(two); }
};

// Lost connections, lock and statement timeouts, deadlocks and failed serialization,
// servers that start, stop, follow or are out of something: it may work another time, and
// no record is to blame.
bool is_passing(const PostgresFailure& failure);

// kUnavailable where it is passing (a full disk: kOutOfSpace), kConflict for a broken
// constraint, kNotFound for a table, schema or database that is not there,
// kInvalidArgument for what the role may not do, the rest kInternal.
Error postgres_error(const PostgresFailure& failure);

class PostgresResult {
 public:
  PostgresResult(PostgresResult&& other) noexcept;
  PostgresResult& operator=(PostgresResult&& other) noexcept;
  ~PostgresResult();

  // Places of rows and columns count from 0. Values are in the text form, where the
  // statement did not ask for the binary one.
  int rows() const;
  int columns() const;
  bool is_null(int row, int column) const;
  // Empty for NULL. Of the binary form: the bytes. Lives as long as the result.
  std::string_view text(int row, int column) const;
  // REQUIRES: an integer in text form; 0 for NULL.
  std::int64_t integer(int row, int column) const;
  std::optional<std::int64_t> optional_integer(int row, int column) const;
  bool boolean(int row, int column) const;  // REQUIRES: text form; false for NULL.
  std::vector<std::uint8_t> bytes(int row, int column) const;  // bytea in text form.
  std::int64_t affected() const;  // Rows that the statement touched.
  std::string_view tag() const;   // "INSERT 0 1", "COMMIT" ...

 private:
  friend class PostgresConnection;
  explicit PostgresResult(pg_result* result) : result_(result) {}
  pg_result* result_;
};

struct PostgresNotification {
  std::string channel;
  std::string payload;
  int sender = 0;  // backend_pid() of the session that sent it.
};

struct PostgresOpenOptions {
  std::string url;  // postgresql://user@host/database, or libpq's key=value form.
  std::chrono::milliseconds connect_time{5'000};
  // How long to wait for an answer, or for the server to take bytes, before the
  // connection is given up. The server's own statement_timeout should come before it.
  std::chrono::milliseconds answer_time{310'000};
};

class PostgresConnection;

// A COPY ... FROM STDIN under way. Not finished when it dies: the connection is given up.
class PostgresCopyIn {
 public:
  PostgresCopyIn(PostgresCopyIn&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  PostgresCopyIn& operator=(PostgresCopyIn&&) = delete;
  ~PostgresCopyIn();

  // Best in pieces of some 64 KiB. After an error only finish(), which tells why.
  Result<void> write(std::string_view bytes);
  Result<std::int64_t> finish();  // Rows.

 private:
  friend class PostgresConnection;
  explicit PostgresCopyIn(PostgresConnection& connection) : connection_(&connection) {}
  PostgresConnection* connection_;
};

class PostgresConnection {
 public:
  static Result<std::unique_ptr<PostgresConnection>> open(
      const PostgresOpenOptions& options);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // One or more statements without parameters; the last one's result.
  Result<PostgresResult> exec(std::string_view sql);

  // One statement; values stand for $1, $2 ... (db/postgres_params.h).
  template <class... Values>
  Result<PostgresResult> execute(std::string_view sql, const Values&... values) {
    PostgresParams params;
    (params.add(values), ...);
    return execute_params(sql, params);
  }
  Result<PostgresResult> execute_params(std::string_view sql,
                                        const PostgresParams& params,
                                        bool binary_result = false);

  Result<PostgresCopyIn> copy_in(std::string_view sql);

  // Of the last statement that failed.
  const PostgresFailure& failure() const { return failure_; }
  // False: nothing can be asked any more.
  bool is_usable() const;
  // Neither BEGIN nor an error has left a transaction open.
  bool is_idle() const;
  int server_version() const;  // 150004
  int backend_pid() const;     // 0 behind some poolers.
  int socket() const;          // To wait for it beside others.

  // Waits for a NOTIFY; empty where none came in time.
  Result<std::optional<PostgresNotification>> wait_for_notification(
      std::chrono::milliseconds wait);

 private:
  friend class PostgresCopyIn;
  using Deadline = std::chrono::steady_clock::time_point;

  PostgresConnection(pg_conn* handle, std::chrono::milliseconds answer_time)
      : handle_(handle), answer_time_(answer_time) {}
  Result<void> connect(Deadline deadline);
  Result<PostgresResult> collect();
  Result<PostgresResult> next_result(Deadline deadline);
  Result<void> flush(Deadline deadline);
  Result<void> wait_readable(Deadline deadline);
  Result<void> copy_write(std::string_view bytes);
  Result<std::int64_t> copy_finish(const char* why_not);
  Error fail(const pg_result* result);
  Error lost(std::string_view why);
  Deadline answer_deadline() const {
    return std::chrono::steady_clock::now() + answer_time_;
  }

  pg_conn* handle_;
  const std::chrono::milliseconds answer_time_;
  PostgresFailure failure_;
  bool given_up_ = false;
};

// "name" with its quotes, for SQL.
std::string postgres_quoted(std::string_view name);
// 'text' as a literal, for where no parameter may stand.
std::string postgres_literal(std::string_view text);

}  // namespace tallyman::db
