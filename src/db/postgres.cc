#include "db/postgres.h"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <charconv>

#include "base/check.h"

namespace tallyman::db {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text ? text : "";
}

// False: `events` did not come in time.
bool wait_for_socket(int socket, short events, steady_clock::time_point deadline) {
  while (true) {
    const auto left =
        std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd waited{.fd = socket, .events = events, .revents = 0};
    const int ready = poll(&waited, 1, static_cast<int>(std::min<long>(left, 1'000'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// libpq's words about a connection: the first line, which tells the place and the reason.
std::string first_line(const char* text) {
  const std::string_view all(text ? text : "");
  return std::string(all.substr(0, all.find('\n')));
}

// libpq quotes what it cannot read of a URL, or takes for a host's or a database's name,
// and that may be a part of a password.
Result<void> check_url(const std::string& url) {
  const Error unreadable{
      ErrorCode::kInvalidArgument,
      "the database's URL cannot be read (it is not shown: it may hold a password). It "
      "must be like postgresql://user@host:5432/database; in user and password write "
      "what is neither a letter nor a digit as in a URL: @ as %40, / as %2F, : as %3A, # "
      "as %23, % as %25"};
  char* why = nullptr;
  PQconninfoOption* const options = PQconninfoParse(url.c_str(), &why);
  PQfreemem(why);
  if (!options) return unreadable;
  bool readable = true;
  for (const PQconninfoOption* option = options; option->keyword; ++option) {
    if (!option->val) continue;
    const std::string_view keyword = option->keyword;
    const std::string_view value = option->val;
    if (keyword == "host" || keyword == "dbname") {
      readable = readable && value.find('@') == std::string_view::npos;
    }
    if (keyword == "port") {
      readable =
          readable && value.find_first_not_of("0123456789,") == std::string_view::npos;
    }
  }
  PQconninfoFree(options);
  if (!readable) return unreadable;
  return {};
}

}  // namespace

bool is_passing(const PostgresFailure& failure) {
  if (failure.sqlstate.empty()) return true;  // The connection was lost.
  // 40002 is a constraint that the end of a transaction met, not a race.
  if (failure.is("40002")) return false;
  static constexpr auto kClasses =
      std::to_array<std::string_view>({"08", "40", "53", "58"});
  for (const std::string_view one : kClasses) {
    if (failure.is_class(one)) return true;
  }
  static constexpr auto kStates = std::to_array<std::string_view>(
      {"25006", "25P03", "25P04", "55006", "55P03", "57014", "57P01", "57P02", "57P03",
       "57P04", "57P05"});
  for (const std::string_view one : kStates) {
    if (failure.is(one)) return true;
  }
  return false;
}

Error postgres_error(const PostgresFailure& failure) {
  const std::string state =
      failure.sqlstate.empty() ? "" : " (SQLSTATE " + failure.sqlstate + ")";
  const bool quotes_a_value = failure.is_class("22");
  const std::string text =
      "PostgreSQL: " +
      (quotes_a_value ? std::string("a value does not fit its type") : failure.message) +
      state;
  if (failure.is("53100")) return {ErrorCode::kOutOfSpace, text};
  if (is_passing(failure)) return {ErrorCode::kUnavailable, text};
  if (failure.is_class("23") || failure.is("40002")) return {ErrorCode::kConflict, text};
  if (failure.is("42P01") || failure.is("3F000") || failure.is("3D000")) {
    return {ErrorCode::kNotFound, text};
  }
  if (failure.is("42501") || failure.is_class("28")) {
    return {ErrorCode::kInvalidArgument, text};
  }
  return {ErrorCode::kInternal, text};
}

// --- PostgresResult -------------------------------------------------------------------

PostgresResult::PostgresResult(PostgresResult&& other) noexcept
    : result_(std::exchange(other.result_, nullptr)) {}

PostgresResult& PostgresResult::operator=(PostgresResult&& other) noexcept {
  std::swap(result_, other.result_);
  return *this;
}

PostgresResult::~PostgresResult() { PQclear(result_); }

int PostgresResult::rows() const { return PQntuples(result_); }

int PostgresResult::columns() const { return PQnfields(result_); }

bool PostgresResult::is_null(int row, int column) const {
  return PQgetisnull(result_, row, column) == 1;
}

std::string_view PostgresResult::text(int row, int column) const {
  return {PQgetvalue(result_, row, column),
          static_cast<std::size_t>(PQgetlength(result_, row, column))};
}

std::int64_t PostgresResult::integer(int row, int column) const {
  const std::string_view digits = text(row, column);
  std::int64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  CHECK(digits.empty() || read.ec == std::errc());
  return value;
}

std::optional<std::int64_t> PostgresResult::optional_integer(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return integer(row, column);
}

bool PostgresResult::boolean(int row, int column) const {
  return text(row, column) == "t";
}

std::vector<std::uint8_t> PostgresResult::bytes(int row, int column) const {
  std::size_t size = 0;
  unsigned char* bytes = PQunescapeBytea(
      reinterpret_cast<const unsigned char*>(PQgetvalue(result_, row, column)), &size);
  CHECK(bytes);
  std::vector<std::uint8_t> copy(bytes, bytes + size);
  PQfreemem(bytes);
  return copy;
}

std::int64_t PostgresResult::affected() const {
  const std::string_view digits(PQcmdTuples(result_));
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string_view PostgresResult::tag() const { return PQcmdStatus(result_); }

// --- PostgresCopyIn -------------------------------------------------------------------

PostgresCopyIn::~PostgresCopyIn() {
  if (connection_) (void)connection_->lost("a COPY was left unfinished");
}

Result<void> PostgresCopyIn::write(std::string_view bytes) {
  return connection_->copy_write(bytes);
}

Result<std::int64_t> PostgresCopyIn::finish() {
  return std::exchange(connection_, nullptr)->copy_finish(nullptr);
}

// --- PostgresConnection ---------------------------------------------------------------

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(
    const PostgresOpenOptions& options) {
  TALLY_TRY(check_url(options.url));
  // Keepalives tell of a peer that is gone without a word. The first of a keyword that is
  // in the URL too wins by coming later: dbname is expanded last.
  const std::string seconds = std::to_string(std::max<long>(
      1, std::chrono::ceil<std::chrono::seconds>(options.connect_time).count()));
  const std::array keywords = {"client_encoding",
                               "fallback_application_name",
                               "keepalives_idle",
                               "keepalives_interval",
                               "keepalives_count",
                               "tcp_user_timeout",
                               "connect_timeout",
                               "dbname",
                               static_cast<const char*>(nullptr)};
  const std::array values = {"UTF8",
                             "tallyman",
                             "5",
                             "5",
                             "3",
                             "20000",
                             seconds.c_str(),
                             options.url.c_str(),
                             static_cast<const char*>(nullptr)};
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(
      PQconnectStartParams(keywords.data(), values.data(), 1), options.answer_time));
  if (!connection->handle_)
    return Error{ErrorCode::kUnavailable, "no memory for a connection"};
  TALLY_TRY(connection->connect(steady_clock::now() + options.connect_time));
  return connection;
}

PostgresConnection::~PostgresConnection() { PQfinish(handle_); }

Result<void> PostgresConnection::connect(Deadline deadline) {
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (PQstatus(handle_) != CONNECTION_BAD && next != PGRES_POLLING_OK) {
    const short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!wait_for_socket(PQsocket(handle_), events, deadline)) {
      return lost("it did not answer in time");
    }
    next = PQconnectPoll(handle_);
    if (next == PGRES_POLLING_FAILED) break;
  }
  if (PQstatus(handle_) != CONNECTION_OK) {
    const std::string why = first_line(PQerrorMessage(handle_));
    // libpq tells no SQLSTATE of a refused connection; these words are the server's.
    const bool for_good = why.find("does not exist") != std::string::npos ||
                          why.find("authentication failed") != std::string::npos ||
                          why.find("no password supplied") != std::string::npos ||
                          why.find("invalid ") != std::string::npos;
    return Error{for_good ? ErrorCode::kInvalidArgument : ErrorCode::kUnavailable,
                 "cannot connect to PostgreSQL: " + why};
  }
  PQsetnonblocking(handle_, 1);
  // Notices may quote values, and nobody reads them.
  PQsetNoticeReceiver(
      handle_, [](void*, const PGresult*) {}, nullptr);
  if (server_version() < 150000) {
    return Error{ErrorCode::kInvalidArgument,
                 "PostgreSQL 15 or later is needed; this server is of version " +
                     std::to_string(server_version() / 10000)};
  }
  return {};
}

bool PostgresConnection::is_usable() const {
  return !given_up_ && PQstatus(handle_) == CONNECTION_OK;
}

bool PostgresConnection::is_idle() const {
  return is_usable() && PQtransactionStatus(handle_) == PQTRANS_IDLE;
}

int PostgresConnection::server_version() const { return PQserverVersion(handle_); }

int PostgresConnection::backend_pid() const { return PQbackendPID(handle_); }

int PostgresConnection::socket() const { return PQsocket(handle_); }

Error PostgresConnection::lost(std::string_view why) {
  given_up_ = true;
  failure_ = {.message = "the connection was lost: " + std::string(why)};
  return postgres_error(failure_);
}

Error PostgresConnection::fail(const PGresult* result) {
  failure_ = {.sqlstate = field(result, PG_DIAG_SQLSTATE),
              .message = field(result, PG_DIAG_MESSAGE_PRIMARY),
              .schema = field(result, PG_DIAG_SCHEMA_NAME),
              .table = field(result, PG_DIAG_TABLE_NAME),
              .column = field(result, PG_DIAG_COLUMN_NAME),
              .constraint = field(result, PG_DIAG_CONSTRAINT_NAME)};
  if (failure_.sqlstate.empty()) return lost(first_line(PQerrorMessage(handle_)));
  return postgres_error(failure_);
}

Result<void> PostgresConnection::flush(Deadline deadline) {
  while (true) {
    const int left = PQflush(handle_);
    if (left == 0) return {};
    if (left < 0) return lost(first_line(PQerrorMessage(handle_)));
    if (!wait_for_socket(PQsocket(handle_), POLLIN | POLLOUT, deadline)) {
      return lost("the server took nothing for too long");
    }
    // A server that has something to say may take nothing until it was heard.
    if (!PQconsumeInput(handle_)) return lost(first_line(PQerrorMessage(handle_)));
  }
}

Result<void> PostgresConnection::wait_readable(Deadline deadline) {
  if (!wait_for_socket(PQsocket(handle_), POLLIN, deadline)) {
    return lost("the server did not answer in time");
  }
  if (!PQconsumeInput(handle_)) return lost(first_line(PQerrorMessage(handle_)));
  return {};
}

// REQUIRES: a statement was sent and flushed. Null: there is no more.
Result<PostgresResult> PostgresConnection::next_result(Deadline deadline) {
  while (PQisBusy(handle_)) TALLY_TRY(wait_readable(deadline));
  return PostgresResult(PQgetResult(handle_));
}

// The last result of what was sent, or the first failure.
Result<PostgresResult> PostgresConnection::collect() {
  const Deadline deadline = answer_deadline();
  TALLY_TRY(flush(deadline));
  PostgresResult last(nullptr);
  std::optional<Error> failed;
  while (true) {
    TALLY_TRY_ASSIGN(PostgresResult next, next_result(deadline));
    if (!next.result_) break;
    const ExecStatusType status = PQresultStatus(next.result_);
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      if (!failed) failed = fail(next.result_);
      if (!is_usable()) return *failed;
    }
    last = std::move(next);
    if (status == PGRES_COPY_IN) break;  // Ours to go on with.
  }
  if (failed) return *failed;
  CHECK(last.result_);
  return last;
}

Result<PostgresResult> PostgresConnection::exec(std::string_view sql) {
  if (!is_usable()) return lost("it is closed");
  if (!PQsendQuery(handle_, std::string(sql).c_str())) {
    return lost(first_line(PQerrorMessage(handle_)));
  }
  return collect();
}

Result<PostgresResult> PostgresConnection::execute_params(std::string_view sql,
                                                          const PostgresParams& params,
                                                          bool binary_result) {
  if (!is_usable()) return lost("it is closed");
  if (!PQsendQueryParams(handle_, std::string(sql).c_str(), params.size(), params.types(),
                         params.values(), params.lengths(), params.formats(),
                         binary_result ? 1 : 0)) {
    return lost(first_line(PQerrorMessage(handle_)));
  }
  return collect();
}

Result<PostgresCopyIn> PostgresConnection::copy_in(std::string_view sql) {
  TALLY_TRY_ASSIGN(const PostgresResult begun, exec(sql));
  CHECK(PQresultStatus(begun.result_) == PGRES_COPY_IN);
  return PostgresCopyIn(*this);
}

Result<void> PostgresConnection::copy_write(std::string_view bytes) {
  const Deadline deadline = answer_deadline();
  while (true) {
    const int taken =
        PQputCopyData(handle_, bytes.data(), static_cast<int>(bytes.size()));
    if (taken < 0) return lost(first_line(PQerrorMessage(handle_)));
    if (taken > 0) break;
    TALLY_TRY(flush(deadline));
  }
  // Not more than one write in libpq's memory.
  return flush(deadline);
}

Result<std::int64_t> PostgresConnection::copy_finish(const char* why_not) {
  if (!is_usable()) return postgres_error(failure_);
  const Deadline deadline = answer_deadline();
  while (true) {
    const int taken = PQputCopyEnd(handle_, why_not);
    if (taken < 0) return lost(first_line(PQerrorMessage(handle_)));
    if (taken > 0) break;
    TALLY_TRY(flush(deadline));
  }
  TALLY_TRY_ASSIGN(const PostgresResult done, collect());
  return done.affected();
}

Result<std::optional<PostgresNotification>> PostgresConnection::wait_for_notification(
    milliseconds wait) {
  if (!is_usable()) return lost("it is closed");
  const Deadline deadline = steady_clock::now() + wait;
  while (true) {
    if (!PQconsumeInput(handle_)) return lost(first_line(PQerrorMessage(handle_)));
    if (PGnotify* notify = PQnotifies(handle_)) {
      PostgresNotification heard{
          .channel = notify->relname, .payload = notify->extra, .sender = notify->be_pid};
      PQfreemem(notify);
      return std::optional(std::move(heard));
    }
    if (!wait_for_socket(PQsocket(handle_), POLLIN, deadline)) {
      return std::optional<PostgresNotification>();
    }
  }
}

std::string postgres_quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string postgres_literal(std::string_view text) {
  // E'': the same whatever standard_conforming_strings is.
  std::string literal = "E'";
  for (const char c : text) literal.append(c == '\'' || c == '\\' ? 2 : 1, c);
  return literal + "'";
}

}  // namespace tallyman::db
