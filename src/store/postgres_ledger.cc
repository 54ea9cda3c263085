#include "store/postgres_ledger.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "store/ledger_codec.h"
#include "store/postgres_job_rows.h"
#include "store/postgres_lease_rows.h"
#include "store/postgres_work.h"

namespace tallyman {
namespace {

using db::PostgresConnection;

constexpr std::chrono::milliseconds kTellEvery{100};

std::string unit_name(const Claim& claim, const UnitPlace& unit) {
  return "job number " + std::to_string(claim.job.value()) + ", window " +
         std::to_string(unit.window.value()) + ", slice " +
         std::to_string(unit.slice.value());
}

Result<bool> has_unit(PostgresConnection& connection, JobNumber job,
                      const UnitPlace& unit) {
  TALLY_TRY_ASSIGN(
      const auto rows,
      connection.execute("SELECT 1 FROM tallyman.unit WHERE job = $1 "
                         "AND window_number = $2 AND slice = $3",
                         job.value(), unit.window.value(), unit.slice.value()));
  return rows.rows() == 1;
}

Result<std::optional<LedgerUnit>> next_unit_in(PostgresConnection& connection,
                                               JobNumber job, WindowNumber window,
                                               SliceNumber slice) {
  TALLY_TRY_ASSIGN(
      const auto rows,
      connection.execute("SELECT window_number, slice, window_records, outcomes "
                         "FROM tallyman.unit WHERE job = $1 AND (window_number, slice) "
                         ">= ($2, $3) ORDER BY window_number, slice LIMIT 1",
                         job.value(), window.value(), slice.value()));
  if (rows.rows() == 0) return std::optional<LedgerUnit>();
  LedgerUnit unit{.window = WindowNumber(rows.integer(0, 0)),
                  .slice = SliceNumber(rows.integer(0, 1)),
                  .window_records = static_cast<std::uint64_t>(rows.integer(0, 2)),
                  .outcomes = {}};
  TALLY_TRY_ASSIGN(unit.outcomes, decode_outcomes(rows.bytes(0, 3)));
  return std::optional(std::move(unit));
}

using Errors = std::vector<std::pair<RecordNumber, RecordError>>;

// Appends the errors of all slices of a window, in file order.
Result<void> append_window_errors(PostgresConnection& connection, JobNumber job,
                                  std::int64_t window, Errors& into) {
  TALLY_TRY_ASSIGN(const auto rows,
                   connection.execute("SELECT outcomes FROM tallyman.unit WHERE job = $1 "
                                      "AND window_number = $2 AND failed > 0",
                                      job.value(), window));
  const auto begin = static_cast<std::ptrdiff_t>(into.size());
  for (int row = 0; row < rows.rows(); ++row) {
    TALLY_TRY_ASSIGN(const UnitOutcomes unit, decode_outcomes(rows.bytes(row, 0)));
    for (const auto& [place, error] : unit.errors) {
      into.emplace_back(unit.record(place), error);
    }
  }
  std::sort(into.begin() + begin, into.end(),
            [](const auto& left, const auto& right) { return left.first < right.first; });
  return {};
}

}  // namespace

Result<void> PostgresLedger::sign(db::Transaction& transaction, const Claim& claim) {
  TALLY_TRY(db::postgres(transaction)
                .exec("SET LOCAL application_name = '" +
                      postgres_session_name(claim.token) +
                      "'; SET LOCAL idle_in_transaction_session_timeout = " +
                      std::to_string(db::kIdleInTransactionTime.count())));
  return {};
}

Result<void> PostgresLedger::begin_unit(db::Transaction& transaction, const Claim& claim,
                                        const UnitPlace& unit) {
  auto& connection = db::postgres(transaction);
  TALLY_TRY(sign(transaction, claim));
  const auto inserted = connection.execute(
      "INSERT INTO tallyman.unit (job, window_number, slice, window_records, "
      "created, updated, unchanged, deleted, failed, error_counts, outcomes) "
      "VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0, '', '') ON CONFLICT DO NOTHING",
      claim.job.value(), unit.window.value(), unit.slice.value());
  // A foreign key: the job was ended and removed.
  if (!inserted.ok() && connection.failure().is("23503")) return claim_is_lost(claim.job);
  TALLY_TRY(inserted);
  TALLY_TRY(check_may_write(connection, claim, ClaimLock::kNone));
  if (inserted.value().affected() == 0) {
    return Error{ErrorCode::kConflict,
                 unit_name(claim, unit) + ": the unit is already committed"};
  }
  if (unit.window == WindowNumber(0)) return {};
  const UnitPlace before{WindowNumber(unit.window.value() - 1), unit.slice};
  TALLY_TRY_ASSIGN(const bool goes_on, has_unit(connection, claim.job, before));
  if (goes_on) return {};
  return Error{ErrorCode::kInternal, unit_name(claim, unit) + ": window " +
                                         std::to_string(before.window.value()) +
                                         " must come before it"};
}

Result<void> PostgresLedger::end_unit(db::Transaction& transaction, const Claim& claim,
                                      const UnitPlace& unit, std::uint64_t window_records,
                                      const UnitOutcomes& outcomes) {
  auto& connection = db::postgres(transaction);
  const OutcomeCounts counts = count_outcomes(outcomes.outcomes);
  TALLY_TRY_ASSIGN(
      const auto update,
      connection.execute(
          "UPDATE tallyman.unit SET window_records = $4, created = $5, "
          "updated = $6, unchanged = $7, deleted = $8, failed = $9, "
          "error_counts = $10, outcomes = $11 "
          "WHERE job = $1 AND window_number = $2 AND slice = $3",
          claim.job.value(), unit.window.value(), unit.slice.value(), window_records,
          counts.created, counts.updated, counts.unchanged, counts.deleted, counts.failed,
          encode_error_counts(count_errors(outcomes)), encode_outcomes(outcomes)));
  if (update.affected() != 1) {
    return Error{ErrorCode::kInternal, unit_name(claim, unit) + ": was never begun"};
  }
  if (may_tell_now()) TALLY_TRY(postgres_notify_unit(connection));
  return check_may_write(connection, claim, ClaimLock::kShare);
}

// Transactions that notify commit one after the other, and a unit is told to watchers
// alone: this many a second do.
bool PostgresLedger::may_tell_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  auto told_at = told_at_.load();
  return now - told_at >= kTellEvery && told_at_.compare_exchange_strong(told_at, now);
}

Result<SlicePosition> PostgresLedger::position(JobNumber job, SliceNumber slice) {
  return postgres_read(
      database_, [&](PostgresConnection& connection) -> Result<SlicePosition> {
        TALLY_TRY_ASSIGN(
            const auto row,
            connection.execute("SELECT coalesce(max(window_number) + 1, 0), "
                               "coalesce(sum(window_records), 0) + 1 FROM tallyman.unit "
                               "WHERE job = $1 AND slice = $2",
                               job.value(), slice.value()));
        return SlicePosition{.next_window = WindowNumber(row.integer(0, 0)),
                             .next_record = RecordNumber(row.integer(0, 1))};
      });
}

Result<std::optional<LedgerUnit>> PostgresLedger::next_unit(JobNumber job,
                                                            WindowNumber from_window,
                                                            SliceNumber from_slice) {
  return postgres_read(database_, [&](PostgresConnection& connection) {
    return next_unit_in(connection, job, from_window, from_slice);
  });
}

Result<std::optional<LedgerUnit>> PostgresLedger::next_unit(db::Transaction& transaction,
                                                            JobNumber job,
                                                            WindowNumber from_window,
                                                            SliceNumber from_slice) {
  return next_unit_in(db::postgres(transaction), job, from_window, from_slice);
}

Result<void> PostgresLedger::add_parent_records(
    JobNumber child, RecordNumber first, const std::vector<RecordNumber>& parents) {
  if (parents.empty()) return {};
  return postgres_write(database_, [&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY(
        connection.execute("DELETE FROM tallyman.parent_record "
                           "WHERE child = $1 AND first_record >= $2",
                           child.value(), first.value()));
    TALLY_TRY(connection.execute(
        "INSERT INTO tallyman.parent_record (child, first_record, record_count, parents) "
        "VALUES ($1, $2, $3, $4)",
        child.value(), first.value(), parents.size(), encode_records(parents)));
    return {};
  });
}

Result<std::vector<RecordNumber>> PostgresLedger::parent_records(JobNumber child,
                                                                 RecordNumber from) {
  using Records = std::vector<RecordNumber>;
  return postgres_read(database_, [&](PostgresConnection& connection) -> Result<Records> {
    // A later row that begins inside this one has replaced the rest of it.
    TALLY_TRY_ASSIGN(
        const auto rows,
        connection.execute(
            "SELECT first_record, parents, (SELECT min(first_record) FROM "
            "tallyman.parent_record WHERE child = $1 AND first_record > $2) "
            "FROM tallyman.parent_record WHERE child = $1 AND first_record <= $2 "
            "ORDER BY first_record DESC LIMIT 1",
            child.value(), from.value()));
    if (rows.rows() == 0) return Records();
    TALLY_TRY_ASSIGN(const Records row, decode_records(rows.bytes(0, 1)));
    const std::int64_t first = rows.integer(0, 0);
    const auto end = first + static_cast<std::int64_t>(row.size());
    const std::int64_t valid_end =
        std::min(end, rows.optional_integer(0, 2).value_or(end));
    if (from.value() >= valid_end) return Records();
    return Records(row.begin() + (from.value() - first),
                   row.begin() + (valid_end - first));
  });
}

Result<OutcomeCounts> PostgresLedger::counts(JobNumber job) {
  return postgres_read(database_, [&](PostgresConnection& connection) {
    return sum_units(connection, job);
  });
}

Result<ErrorCounts> PostgresLedger::error_counts(JobNumber job) {
  return postgres_read(
      database_, [&](PostgresConnection& connection) -> Result<ErrorCounts> {
        TALLY_TRY_ASSIGN(const auto rows,
                         connection.execute("SELECT error_counts FROM tallyman.unit "
                                            "WHERE job = $1 AND failed > 0",
                                            job.value()));
        ErrorCounts sums{};
        for (int row = 0; row < rows.rows(); ++row) {
          TALLY_TRY_ASSIGN(const ErrorCounts counts,
                           decode_error_counts(rows.bytes(row, 0)));
          for (std::size_t code = 0; code < sums.size(); ++code)
            sums[code] += counts[code];
        }
        return sums;
      });
}

Result<Errors> PostgresLedger::first_errors(JobNumber job, std::size_t limit) {
  return postgres_read(database_, [&](PostgresConnection& connection) -> Result<Errors> {
    TALLY_TRY_ASSIGN(
        const auto windows,
        connection.execute("SELECT DISTINCT window_number FROM tallyman.unit "
                           "WHERE job = $1 AND failed > 0 "
                           "ORDER BY window_number LIMIT $2",
                           job.value(), limit));
    Errors errors;
    for (int row = 0; row < windows.rows() && errors.size() < limit; ++row) {
      TALLY_TRY(append_window_errors(connection, job, windows.integer(row, 0), errors));
    }
    if (errors.size() > limit) {
      errors.erase(errors.begin() + static_cast<std::ptrdiff_t>(limit), errors.end());
    }
    return errors;
  });
}

}  // namespace tallyman
