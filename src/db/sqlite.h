// SqliteConnection and SqliteStatement: sqlite3 with owners, Results and a cache of
// prepared statements.
//
//   TALLY_TRY_ASSIGN(auto connection, SqliteConnection::open({.path = "app.db"}));
//   TALLY_TRY_ASSIGN(auto find, connection->prepare("SELECT name FROM people WHERE id =
//   ?1")); find.bind_all(17); TALLY_TRY_ASSIGN(const bool found, find.step()); if (found)
//   use(find.text(0));
//
// Ownership: a statement is lent by its connection and goes back (reset, unbound) when it
//            dies; the connection must outlive it, and where it belongs to a transaction
//            the statement must die before that ends.
// Threads:   a connection and its statements: one thread at a time.
// Memory:    bound text and blobs are not copied, except by the *_copy functions.
// Errors:    by sqlite_error(), below. Messages hold names of tables and columns, never a
//            value of a row.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tallyman::db {

class SqliteConnection;

enum class SqliteType : std::uint8_t { kInteger = 1, kFloat, kText, kBlob, kNull };

class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&& other) noexcept;
  ~SqliteStatement();

  // Places count from 1. What `text` and `bytes` point to must stay until the statement
  // is reset or dies.
  void bind_integer(int place, std::int64_t value);
  void bind_float(int place, double value);
  void bind_text(int place, std::string_view text);
  void bind_text_copy(int place, std::string_view text);
  void bind_blob(int place, std::span<const std::uint8_t> bytes);
  void bind_blob_copy(int place, std::span<const std::uint8_t> bytes);
  void bind_null(int place);

  // Binds places 1, 2, 3 ... by the values' types; an empty optional is NULL. Copies text
  // and blobs only where they are temporaries (rvalues) of the call.
  template <class... Values>
  void bind_all(Values&&... values) {
    int place = 0;
    (bind_value(++place, std::forward<Values>(values)), ...);
  }

  // True: a row is there to be read. False: the end.
  Result<bool> step();
  // The same as SQLite's own extended code (SQLITE_ROW, SQLITE_DONE, or why not): for
  // whoever sorts failures, row after row.
  int step_code();
  // Steps to the end and resets, keeping what is bound.
  Result<void> run();
  void reset();
  void clear_bindings();

  // Of the row at hand. Places count from 0. Views are good until the next step or reset.
  int column_count() const;
  std::string_view column_name(int place) const;
  SqliteType type(int place) const;
  bool is_null(int place) const { return type(place) == SqliteType::kNull; }
  std::int64_t integer(int place) const;
  double number(int place) const;
  std::string_view text(int place) const;
  std::span<const std::uint8_t> blob(int place) const;
  std::optional<std::int64_t> optional_integer(int place) const;

  SqliteConnection& connection() const { return *connection_; }
  sqlite3_stmt* handle() const { return statement_; }

 private:
  friend class SqliteConnection;
  SqliteStatement(SqliteConnection* connection, sqlite3_stmt* statement, bool* lent)
      : connection_(connection), statement_(statement), lent_(lent) {}
  void give_back();

  template <class Value>
  void bind_value(int place, Value&& value);

  SqliteConnection* connection_;
  sqlite3_stmt* statement_;
  bool* lent_;  // Of its place in the cache; null: not cached.
};

// How long to wait for locks of others where nothing else is said.
inline constexpr std::chrono::seconds kLockWait{5};

struct SqliteOpenOptions {
  std::string path;
  bool create = false;     // Make the file where it is missing.
  bool read_only = false;  // Temporary tables can be written all the same.
  std::uint64_t cache_bytes = 4ULL << 20;
  std::chrono::milliseconds lock_wait = kLockWait;  // While it is being opened.
};

class SqliteConnection {
 public:
  // Opens a file in WAL mode with synchronous=FULL and foreign_keys=ON. kNotFound where
  // there is none, kInvalidArgument where it is no SQLite database or may not be written.
  static Result<std::unique_ptr<SqliteConnection>> open(const SqliteOpenOptions& options);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // One or more statements without parameters; rows are passed over.
  Result<void> exec(const char* sql);

  // One statement. The second time the same text costs a look-up.
  Result<SqliteStatement> prepare(std::string_view sql);

  std::int64_t changes() const;  // Rows of the last INSERT, UPDATE or DELETE.
  std::int64_t last_insert_rowid() const;
  int extended_error_code() const;
  // SQLite's own words for the last failure: for sorting failures, not for people.
  std::string_view error_text() const;
  // False after BEGIN; true again after COMMIT, ROLLBACK, and where SQLite itself or a
  // trigger has rolled back.
  bool autocommit() const;

  // Until when to wait for locks that others hold. At the beginning: not at all.
  void wait_for_locks_until(std::chrono::steady_clock::time_point deadline) {
    busy_deadline_ = deadline;
  }

  sqlite3* handle() const { return handle_; }

 private:
  struct Cached {
    sqlite3_stmt* statement = nullptr;
    bool lent = false;
  };

  SqliteConnection(sqlite3* handle, std::string path)
      : handle_(handle), path_(std::move(path)) {}
  Result<void> configure(const SqliteOpenOptions& options);
  int exec_code(const char* sql);
  Result<sqlite3_stmt*> compile(std::string_view sql);
  void drop_idle_statements();
  static int on_busy(void* self, int tries);

  sqlite3* handle_;
  std::string path_;
  std::chrono::steady_clock::time_point busy_deadline_{};
  std::map<std::string, Cached, std::less<>> cache_;  // By SQL text.
};

// SQLite counts the memory of the whole process under one lock, which every statement
// takes. Without it: for a program whose own SQLite is, before its first connection.
void leave_sqlite_memory_uncounted();

// The Error for an (extended) SQLite result code: busy, locked and I/O errors are
// kUnavailable, a full disk kOutOfSpace, a constraint kConflict, a value past SQLite's
// limits kTooLarge, the rest kInternal. `text` is added where it is known to hold no row.
Error sqlite_error(int code, std::string_view text = {});

// --- Implementation -------------------------------------------------------------------

namespace internal {
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
}  // namespace internal

template <class Value>
void SqliteStatement::bind_value(int place, Value&& value) {
  using Plain = std::remove_cvref_t<Value>;
  constexpr bool kTemporary = !std::is_lvalue_reference_v<Value>;
  if constexpr (internal::IsOptional<Plain>::value) {
    if (value) {
      bind_value(place, *std::forward<Value>(value));
    } else {
      bind_null(place);
    }
  } else if constexpr (std::is_same_v<Plain, std::nullopt_t>) {
    bind_null(place);
  } else if constexpr (std::is_enum_v<Plain> || std::is_integral_v<Plain>) {
    bind_integer(place, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_floating_point_v<Plain>) {
    bind_float(place, value);
  } else if constexpr (std::is_same_v<Plain, std::string> && kTemporary) {
    bind_text_copy(place, value);
  } else if constexpr (std::is_convertible_v<Value, std::string_view>) {
    bind_text(place, value);
  } else if constexpr (std::is_same_v<Plain, std::vector<std::uint8_t>> && kTemporary) {
    bind_blob_copy(place, value);
  } else {
    bind_blob(place, value);
  }
}

}  // namespace tallyman::db
