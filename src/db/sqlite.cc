#include "db/sqlite.h"

#include <sqlite3.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "base/check.h"

namespace tallyman::db {
namespace {

// Above it the idle ones are dropped: SQL made from many tables' names must not pile up.
constexpr std::size_t kCachedStatementsMax = 256;
// SQLite's own small allocations while a statement runs, without malloc.
constexpr int kLookasideSlotBytes = 1200;
constexpr int kLookasideSlots = 200;
constexpr std::chrono::milliseconds kBusyNapMax{20};

ErrorCode code_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL: return ErrorCode::kOutOfSpace;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_PROTOCOL:
    case SQLITE_SCHEMA:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT: return ErrorCode::kUnavailable;
    case SQLITE_CONSTRAINT: return ErrorCode::kConflict;
    case SQLITE_TOOBIG: return ErrorCode::kTooLarge;
    default: return ErrorCode::kInternal;
  }
}

// A page that the disk cannot read (EIO) SQLite calls a damaged database, which would be
// for good, and room that is not there for its index of the log an I/O error. What the
// system said decides: the database is whole once the disk works.
template <class Call>
int code_by_system(Call call) {
  errno = 0;
  const int code = call();
  if ((code & 0xFF) == SQLITE_CORRUPT && errno == EIO) return SQLITE_IOERR_READ;
  if ((code & 0xFF) == SQLITE_IOERR && errno == ENOSPC) return SQLITE_FULL;
  return code;
}

// errno of the call that failed. Where a file could not be made, SQLite tries to read it
// and then knows only that it is not there.
int open_system_error(sqlite3* handle, const SqliteOpenOptions& options) {
  const int reported = sqlite3_system_errno(handle);
  if (!options.create || reported != ENOENT) return reported;
  const int made =
      ::open(options.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (made < 0) return errno;
  ::close(made);  // New, so nobody's locks end with this.
  return EIO;
}

// The same for a file beside an open database: its log or its journal.
int beside_system_error(sqlite3* handle) {
  const int reported = sqlite3_system_errno(handle);
  return reported == ENOENT ? EIO : reported;
}

Error open_error(int code, int system_error, const std::string& path) {
  switch (code & 0xFF) {
    case SQLITE_NOTADB:
      return {ErrorCode::kInvalidArgument, "database " + path +
                                               " is not a SQLite database (or is "
                                               "encrypted); name another file"};
    case SQLITE_CANTOPEN:
      switch (system_error) {
        case EMFILE:
        case ENFILE:
          return {ErrorCode::kUnavailable, "the server has no file descriptor left"};
        case ENOSPC:
        case EDQUOT:
          return {ErrorCode::kOutOfSpace, "database " + path +
                                              " cannot be opened: the disk is full; free "
                                              "space there and try again"};
        case EIO:
        case ENOMEM:
          return {ErrorCode::kUnavailable, "database " + path +
                                               " cannot be opened: the disk does not "
                                               "answer; try again in some seconds"};
        default: break;
      }
      return {ErrorCode::kNotFound,
              "database " + path +
                  " cannot be opened: no such file, or no right to read it and to write "
                  "its folder"};
    default: return sqlite_error(code).with_context("database " + path);
  }
}

Error read_only_error(const std::string& path) {
  // Opened for reading after the disk had refused the rest.
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0) {
    return {ErrorCode::kUnavailable,
            "database " + path +
                " could be opened for reading only; try again in some seconds"};
  }
  return {
      ErrorCode::kInvalidArgument,
      "database " + path +
          " cannot be written; give the server's user the right to write the file and "
          "its folder"};
}

}  // namespace

Error sqlite_error(int code, std::string_view text) {
  if ((code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED) {
    return {ErrorCode::kUnavailable,
            "SQLite: another program holds the database; try again"};
  }
  std::string message = std::string("SQLite: ") + sqlite3_errstr(code);
  if (!text.empty()) message += std::string(": ") + std::string(text);
  message += " (code " + std::to_string(code) + ")";
  return {code_of(code), std::move(message)};
}

void leave_sqlite_memory_uncounted() {
  CHECK(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
}

// --- SqliteStatement ------------------------------------------------------------------

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      lent_(std::exchange(other.lent_, nullptr)) {}

SqliteStatement& SqliteStatement::operator=(SqliteStatement&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  connection_ = other.connection_;
  statement_ = std::exchange(other.statement_, nullptr);
  lent_ = std::exchange(other.lent_, nullptr);
  return *this;
}

SqliteStatement::~SqliteStatement() { give_back(); }

void SqliteStatement::give_back() {
  if (!statement_) return;
  if (lent_) {
    reset();
    clear_bindings();
    *lent_ = false;
  } else {
    sqlite3_finalize(statement_);
  }
  statement_ = nullptr;
}

void SqliteStatement::bind_integer(int place, std::int64_t value) {
  CHECK(sqlite3_bind_int64(statement_, place, value) == SQLITE_OK);
}

void SqliteStatement::bind_float(int place, double value) {
  CHECK(sqlite3_bind_double(statement_, place, value) == SQLITE_OK);
}

// A null pointer would be bound as NULL, and an empty text may well have one.
void SqliteStatement::bind_text(int place, std::string_view text) {
  CHECK(sqlite3_bind_text64(statement_, place, text.empty() ? "" : text.data(),
                            text.size(), SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
}

void SqliteStatement::bind_text_copy(int place, std::string_view text) {
  CHECK(sqlite3_bind_text64(statement_, place, text.empty() ? "" : text.data(),
                            text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK);
}

void SqliteStatement::bind_blob(int place, std::span<const std::uint8_t> bytes) {
  const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  CHECK(sqlite3_bind_blob64(statement_, place, data, bytes.size(), SQLITE_STATIC) ==
        SQLITE_OK);
}

void SqliteStatement::bind_blob_copy(int place, std::span<const std::uint8_t> bytes) {
  const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  CHECK(sqlite3_bind_blob64(statement_, place, data, bytes.size(), SQLITE_TRANSIENT) ==
        SQLITE_OK);
}

void SqliteStatement::bind_null(int place) {
  CHECK(sqlite3_bind_null(statement_, place) == SQLITE_OK);
}

int SqliteStatement::step_code() {
  return code_by_system([&] { return sqlite3_step(statement_); });
}

Result<bool> SqliteStatement::step() {
  const int code = step_code();
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  // SQLite names the columns of a broken constraint; its other texts may quote values.
  const bool names_only = (code & 0xFF) == SQLITE_CONSTRAINT;
  return sqlite_error(code, names_only ? connection_->error_text() : std::string_view());
}

Result<void> SqliteStatement::run() {
  while (true) {
    auto row = step();
    if (row.ok() && row.value()) continue;
    reset();
    if (!row.ok()) return std::move(row).error();
    return {};
  }
}

void SqliteStatement::reset() { sqlite3_reset(statement_); }

void SqliteStatement::clear_bindings() { sqlite3_clear_bindings(statement_); }

int SqliteStatement::column_count() const { return sqlite3_column_count(statement_); }

std::string_view SqliteStatement::column_name(int place) const {
  const char* text = sqlite3_column_name(statement_, place);
  return text ? text : std::string_view();
}

SqliteType SqliteStatement::type(int place) const {
  static_assert(SQLITE_INTEGER == 1 && SQLITE_FLOAT == 2 && SQLITE_TEXT == 3 &&
                SQLITE_BLOB == 4 && SQLITE_NULL == 5);
  return static_cast<SqliteType>(sqlite3_column_type(statement_, place));
}

std::int64_t SqliteStatement::integer(int place) const {
  return sqlite3_column_int64(statement_, place);
}

double SqliteStatement::number(int place) const {
  return sqlite3_column_double(statement_, place);
}

std::string_view SqliteStatement::text(int place) const {
  const auto* text =
      reinterpret_cast<const char*>(sqlite3_column_text(statement_, place));
  if (!text) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, place))};
}

std::span<const std::uint8_t> SqliteStatement::blob(int place) const {
  const auto* data =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, place));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, place))};
}

std::optional<std::int64_t> SqliteStatement::optional_integer(int place) const {
  if (is_null(place)) return std::nullopt;
  return integer(place);
}

// --- SqliteConnection -----------------------------------------------------------------

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(
    const SqliteOpenOptions& options) {
  CHECK(!(options.create && options.read_only));
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create) flags |= SQLITE_OPEN_CREATE;

  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(options.path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<SqliteConnection> connection(
      new SqliteConnection(handle, options.path));
  if (code != SQLITE_OK) {
    return open_error(code, open_system_error(handle, options), options.path);
  }
  TALLY_TRY(connection->configure(options));
  return connection;
}

Result<void> SqliteConnection::configure(const SqliteOpenOptions& options) {
  sqlite3_busy_handler(handle_, on_busy, this);
  CHECK(sqlite3_db_config(handle_, SQLITE_DBCONFIG_LOOKASIDE, nullptr,
                          kLookasideSlotBytes, kLookasideSlots) == SQLITE_OK);
  wait_for_locks_until(std::chrono::steady_clock::now() + options.lock_wait);

  if (!options.read_only) {
    if (sqlite3_db_readonly(handle_, "main") == 1) return read_only_error(path_);
    sqlite3_stmt* statement = nullptr;
    int code =
        sqlite3_prepare_v2(handle_, "PRAGMA journal_mode = WAL", -1, &statement, nullptr);
    if (code == SQLITE_OK) {
      code = code_by_system([&] { return sqlite3_step(statement); });
    }
    const auto* mode =
        code == SQLITE_ROW
            ? reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))
            : nullptr;
    const bool is_wal = mode && std::string_view(mode) == "wal";
    sqlite3_finalize(statement);
    if ((code & 0xFF) == SQLITE_READONLY) return read_only_error(path_);
    if (code != SQLITE_ROW) {
      return open_error(code, beside_system_error(handle_), path_);
    }
    if (!is_wal) {
      return Error{
          ErrorCode::kInvalidArgument,
          "database " + path_ +
              " cannot use a write-ahead log; put it into a file on a local disk"};
    }
  }

  const std::string cache_kibibytes = std::to_string(options.cache_bytes / 1024);
  const std::string settings =
      "PRAGMA synchronous = FULL;"
      "PRAGMA foreign_keys = ON;"
      "PRAGMA temp_store = FILE;"
      "PRAGMA mmap_size = 0;"  // A disk error under a mapping would kill the process.
      "PRAGMA journal_size_limit = 67108864;"
      "PRAGMA wal_autocheckpoint = 16000;"
      "PRAGMA cache_size = -" +
      cache_kibibytes + ";";
  if (const int code = exec_code(settings.c_str()); code != SQLITE_OK) {
    return open_error(code, beside_system_error(handle_), path_);
  }
  // The first real read: tells a file that is no database from one that is.
  if (const int code = exec_code("SELECT count(*) FROM sqlite_schema");
      code != SQLITE_OK) {
    return open_error(code, beside_system_error(handle_), path_);
  }
  wait_for_locks_until({});
  return {};
}

SqliteConnection::~SqliteConnection() {
  for (auto& [sql, cached] : cache_) sqlite3_finalize(cached.statement);
  sqlite3_close_v2(handle_);
}

int SqliteConnection::exec_code(const char* sql) {
  return code_by_system(
      [&] { return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); });
}

Result<void> SqliteConnection::exec(const char* sql) {
  const int code = exec_code(sql);
  if (code == SQLITE_OK) return {};
  return sqlite_error(code, error_text());
}

Result<sqlite3_stmt*> SqliteConnection::compile(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = code_by_system([&] {
    return sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                              SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  });
  if (code != SQLITE_OK) return sqlite_error(code, error_text());
  CHECK(statement != nullptr);
  return statement;
}

Result<SqliteStatement> SqliteConnection::prepare(std::string_view sql) {
  const auto found = cache_.find(sql);
  if (found != cache_.end() && !found->second.lent) {
    found->second.lent = true;
    return SqliteStatement(this, found->second.statement, &found->second.lent);
  }
  TALLY_TRY_ASSIGN(sqlite3_stmt * statement, compile(sql));
  if (found != cache_.end()) return SqliteStatement(this, statement, nullptr);

  if (cache_.size() >= kCachedStatementsMax) drop_idle_statements();
  Cached& cached = cache_[std::string(sql)];
  cached = {statement, true};
  return SqliteStatement(this, statement, &cached.lent);
}

void SqliteConnection::drop_idle_statements() {
  std::erase_if(cache_, [](const auto& entry) {
    if (entry.second.lent) return false;
    sqlite3_finalize(entry.second.statement);
    return true;
  });
}

std::int64_t SqliteConnection::changes() const { return sqlite3_changes64(handle_); }

std::int64_t SqliteConnection::last_insert_rowid() const {
  return sqlite3_last_insert_rowid(handle_);
}

int SqliteConnection::extended_error_code() const {
  return sqlite3_extended_errcode(handle_);
}

std::string_view SqliteConnection::error_text() const { return sqlite3_errmsg(handle_); }

bool SqliteConnection::autocommit() const { return sqlite3_get_autocommit(handle_) != 0; }

int SqliteConnection::on_busy(void* self, int tries) {
  using std::chrono::milliseconds;
  const auto left = static_cast<SqliteConnection*>(self)->busy_deadline_ -
                    std::chrono::steady_clock::now();
  if (left <= left.zero()) return 0;
  const milliseconds nap = std::min(milliseconds(1 + tries), kBusyNapMax);
  std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(nap, left));
  return 1;
}

}  // namespace tallyman::db
