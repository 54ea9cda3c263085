#include "store/sqlite_ledger.h"

#include <algorithm>
#include <string>
#include <utility>

#include "store/ledger_codec.h"
#include "store/sqlite_job_rows.h"
#include "store/sqlite_work.h"

namespace tallyman {
namespace {

using db::SqliteConnection;

std::string unit_name(const Claim& claim, const UnitPlace& unit) {
  return "job number " + std::to_string(claim.job.value()) + ", window " +
         std::to_string(unit.window.value()) + ", slice " +
         std::to_string(unit.slice.value());
}

Result<void> check_may_write(SqliteConnection& connection, const Claim& claim) {
  TALLY_TRY_ASSIGN(const JobState state, check_claim(connection, claim));
  if (state == JobState::kInProgress) return {};
  return Error{ErrorCode::kLost, "job number " + std::to_string(claim.job.value()) +
                                     " is " + std::string(name(state)) +
                                     ": nothing more may be written for it"};
}

Result<SlicePosition> position_in(SqliteConnection& connection, JobNumber job,
                                  SliceNumber slice) {
  TALLY_TRY_ASSIGN(
      auto select,
      connection.prepare("SELECT coalesce(max(window_number) + 1, 0), "
                         "coalesce(sum(window_records), 0) + 1 FROM tallyman_unit "
                         "WHERE job = ?1 AND slice = ?2"));
  select.bind_all(job.value(), slice.value());
  TALLY_TRY(select.step());
  return SlicePosition{.next_window = WindowNumber(select.integer(0)),
                       .next_record = RecordNumber(select.integer(1))};
}

// Where the unit's rows took effect, later readers of the table must be able to tell.
Result<void> note_written(SqliteConnection& connection, JobNumber job,
                          const OutcomeCounts& counts) {
  if (counts.created + counts.updated + counts.deleted == 0) return {};
  TALLY_TRY_ASSIGN(
      auto update,
      connection.prepare(
          "UPDATE tallyman_table SET last_written = j.submission FROM tallyman_job j "
          "WHERE j.number = ?1 AND j.dry_run = 0 AND tallyman_table.name = j.table_name "
          "AND tallyman_table.last_written < j.submission"));
  update.bind_all(job.value());
  return update.run();
}

Result<std::optional<LedgerUnit>> next_unit_in(SqliteConnection& connection,
                                               JobNumber job, WindowNumber window,
                                               SliceNumber slice) {
  TALLY_TRY_ASSIGN(auto select,
                   connection.prepare(
                       "SELECT window_number, slice, window_records, outcomes "
                       "FROM tallyman_unit WHERE job = ?1 AND (window_number, slice) >= "
                       "(?2, ?3) ORDER BY window_number, slice LIMIT 1"));
  select.bind_all(job.value(), window.value(), slice.value());
  TALLY_TRY_ASSIGN(const bool has_row, select.step());
  if (!has_row) return std::optional<LedgerUnit>();
  LedgerUnit unit{.window = WindowNumber(select.integer(0)),
                  .slice = SliceNumber(select.integer(1)),
                  .window_records = static_cast<std::uint64_t>(select.integer(2)),
                  .outcomes = {}};
  TALLY_TRY_ASSIGN(unit.outcomes, decode_outcomes(select.blob(3)));
  return std::optional(std::move(unit));
}

using Errors = std::vector<std::pair<RecordNumber, RecordError>>;

// Appends the errors of all slices of a window, in file order.
Result<void> append_window_errors(SqliteConnection& connection, JobNumber job,
                                  std::int64_t window, Errors& into) {
  TALLY_TRY_ASSIGN(
      auto select,
      connection.prepare("SELECT outcomes FROM tallyman_unit WHERE job = ?1 "
                         "AND window_number = ?2 AND failed > 0 ORDER BY slice"));
  select.bind_all(job.value(), window);
  const auto begin = static_cast<std::ptrdiff_t>(into.size());
  while (true) {
    TALLY_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) break;
    TALLY_TRY_ASSIGN(const UnitOutcomes unit, decode_outcomes(select.blob(0)));
    for (const auto& [place, error] : unit.errors) {
      into.emplace_back(unit.record(place), error);
    }
  }
  std::sort(into.begin() + begin, into.end(),
            [](const auto& left, const auto& right) { return left.first < right.first; });
  return {};
}

}  // namespace

Result<void> SqliteLedger::begin_unit(db::Transaction& transaction, const Claim& claim,
                                      const UnitPlace& unit) {
  auto& connection = db::sqlite(transaction);
  TALLY_TRY(check_may_write(connection, claim));
  TALLY_TRY_ASSIGN(const auto position, position_in(connection, claim.job, unit.slice));
  if (unit.window < position.next_window) {
    return Error{ErrorCode::kConflict,
                 unit_name(claim, unit) + ": the unit is already committed"};
  }
  if (unit.window > position.next_window) {
    return Error{ErrorCode::kInternal, unit_name(claim, unit) + ": window " +
                                           std::to_string(position.next_window.value()) +
                                           " must come before it"};
  }
  TALLY_TRY_ASSIGN(
      auto insert,
      connection.prepare("INSERT INTO tallyman_unit (job, window_number, slice, "
                         "window_records, created, updated, unchanged, deleted, failed, "
                         "error_counts, outcomes) "
                         "VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0, 0, x'', x'')"));
  insert.bind_all(claim.job.value(), unit.window.value(), unit.slice.value());
  return insert.run();
}

Result<void> SqliteLedger::end_unit(db::Transaction& transaction, const Claim& claim,
                                    const UnitPlace& unit, std::uint64_t window_records,
                                    const UnitOutcomes& outcomes) {
  auto& connection = db::sqlite(transaction);
  const OutcomeCounts counts = count_outcomes(outcomes.outcomes);
  TALLY_TRY_ASSIGN(
      auto update,
      connection.prepare("UPDATE tallyman_unit SET window_records = ?4, created = ?5, "
                         "updated = ?6, unchanged = ?7, deleted = ?8, failed = ?9, "
                         "error_counts = ?10, outcomes = ?11 "
                         "WHERE job = ?1 AND window_number = ?2 AND slice = ?3"));
  update.bind_all(claim.job.value(), unit.window.value(), unit.slice.value(),
                  window_records, counts.created, counts.updated, counts.unchanged,
                  counts.deleted, counts.failed,
                  encode_error_counts(count_errors(outcomes)), encode_outcomes(outcomes));
  TALLY_TRY(update.run());
  if (connection.changes() != 1) {
    return Error{ErrorCode::kInternal, unit_name(claim, unit) + ": was never begun"};
  }
  TALLY_TRY(note_written(connection, claim.job, counts));
  return check_may_write(connection, claim);
}

Result<SlicePosition> SqliteLedger::position(JobNumber job, SliceNumber slice) {
  return read_in(database_, [&](SqliteConnection& connection) {
    return position_in(connection, job, slice);
  });
}

Result<std::optional<LedgerUnit>> SqliteLedger::next_unit(JobNumber job,
                                                          WindowNumber from_window,
                                                          SliceNumber from_slice) {
  return read_in(database_, [&](SqliteConnection& connection) {
    return next_unit_in(connection, job, from_window, from_slice);
  });
}

Result<std::optional<LedgerUnit>> SqliteLedger::next_unit(db::Transaction& transaction,
                                                          JobNumber job,
                                                          WindowNumber from_window,
                                                          SliceNumber from_slice) {
  return next_unit_in(db::sqlite(transaction), job, from_window, from_slice);
}

Result<void> SqliteLedger::add_parent_records(JobNumber child, RecordNumber first,
                                              const std::vector<RecordNumber>& parents) {
  if (parents.empty()) return {};
  return write_in(database_, [&](SqliteConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(auto remove,
                     connection.prepare("DELETE FROM tallyman_parent_record "
                                        "WHERE child = ?1 AND first_record >= ?2"));
    remove.bind_all(child.value(), first.value());
    TALLY_TRY(remove.run());
    TALLY_TRY_ASSIGN(auto insert,
                     connection.prepare("INSERT INTO tallyman_parent_record (child, "
                                        "first_record, record_count, parents) "
                                        "VALUES (?1, ?2, ?3, ?4)"));
    insert.bind_all(child.value(), first.value(), parents.size(),
                    encode_records(parents));
    return insert.run();
  });
}

Result<std::vector<RecordNumber>> SqliteLedger::parent_records(JobNumber child,
                                                               RecordNumber from) {
  using Records = std::vector<RecordNumber>;
  return read_in(database_, [&](SqliteConnection& connection) -> Result<Records> {
    // A later row that begins inside this one has replaced the rest of it.
    TALLY_TRY_ASSIGN(auto select,
                     connection.prepare(
                         "SELECT first_record, parents, (SELECT min(first_record) FROM "
                         "tallyman_parent_record WHERE child = ?1 AND first_record > ?2) "
                         "FROM tallyman_parent_record "
                         "WHERE child = ?1 AND first_record <= ?2 "
                         "ORDER BY first_record DESC LIMIT 1"));
    select.bind_all(child.value(), from.value());
    TALLY_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) return Records();
    TALLY_TRY_ASSIGN(const Records row, decode_records(select.blob(1)));
    const std::int64_t first = select.integer(0);
    const auto end = first + static_cast<std::int64_t>(row.size());
    const std::int64_t valid_end =
        std::min(end, select.optional_integer(2).value_or(end));
    if (from.value() >= valid_end) return Records();
    return Records(row.begin() + (from.value() - first),
                   row.begin() + (valid_end - first));
  });
}

Result<OutcomeCounts> SqliteLedger::counts(JobNumber job) {
  return read_in(database_, [&](SqliteConnection& connection) {
    return sum_units(connection, job);
  });
}

Result<ErrorCounts> SqliteLedger::error_counts(JobNumber job) {
  return read_in(database_, [&](SqliteConnection& connection) -> Result<ErrorCounts> {
    TALLY_TRY_ASSIGN(auto select,
                     connection.prepare("SELECT error_counts FROM tallyman_unit "
                                        "WHERE job = ?1 AND failed > 0"));
    select.bind_all(job.value());
    ErrorCounts sums{};
    while (true) {
      TALLY_TRY_ASSIGN(const bool has_row, select.step());
      if (!has_row) return sums;
      TALLY_TRY_ASSIGN(const ErrorCounts counts, decode_error_counts(select.blob(0)));
      for (std::size_t code = 0; code < sums.size(); ++code) sums[code] += counts[code];
    }
  });
}

Result<Errors> SqliteLedger::first_errors(JobNumber job, std::size_t limit) {
  return read_in(database_, [&](SqliteConnection& connection) -> Result<Errors> {
    TALLY_TRY_ASSIGN(auto windows, connection.prepare(
                                       "SELECT DISTINCT window_number FROM tallyman_unit "
                                       "WHERE job = ?1 AND failed > 0 "
                                       "ORDER BY window_number"));
    windows.bind_all(job.value());
    Errors errors;
    while (errors.size() < limit) {
      TALLY_TRY_ASSIGN(const bool has_row, windows.step());
      if (!has_row) break;
      TALLY_TRY(append_window_errors(connection, job, windows.integer(0), errors));
    }
    if (errors.size() > limit) {
      errors.erase(errors.begin() + static_cast<std::ptrdiff_t>(limit), errors.end());
    }
    return errors;
  });
}

}  // namespace tallyman
