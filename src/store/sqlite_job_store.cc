#include "store/sqlite_job_store.h"

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"
#include "model/limits.h"
#include "store/sqlite_job_rows.h"
#include "store/sqlite_owner_rows.h"

namespace tallyman {
namespace {

using db::SqliteConnection;

// Of a job that is retried for hours the history keeps the beginning; the job counts all.
constexpr std::uint64_t kNotedRetriesMax = 100;

Error key_taken(const NewJob& job) {
  return {ErrorCode::kConflict, "resource " + job.resource +
                                    ": there is a job with this Idempotency-Key already"};
}

Result<std::int64_t> next_submission(SqliteConnection& connection,
                                     std::string_view table) {
  TALLY_TRY_ASSIGN(
      auto number,
      connection.prepare(
          "INSERT INTO tallyman_table (name, last_submission) VALUES (?1, 1) "
          "ON CONFLICT (name) DO UPDATE SET last_submission = "
          "last_submission + 1 RETURNING last_submission"));
  number.bind_all(table);
  TALLY_TRY_ASSIGN(const bool has_row, number.step());
  CHECK(has_row);
  return number.integer(0);
}

Result<void> run(SqliteConnection& connection, std::string_view sql, JobNumber job) {
  TALLY_TRY_ASSIGN(auto statement, connection.prepare(sql));
  statement.bind_all(job.value());
  return statement.run();
}

// A condition of a list and what is bound to it.
struct Condition {
  std::string sql;
  std::variant<std::int64_t, std::string> value;
};

std::vector<Condition> conditions_of(const JobFilter& filter) {
  std::vector<Condition> conditions;
  const auto add = [&](const char* sql, auto value) {
    conditions.push_back({sql, std::move(value)});
  };
  if (filter.owner) add("owner = ?", *filter.owner);
  if (filter.state) add("state = ?", static_cast<std::int64_t>(*filter.state));
  if (filter.operation) {
    add("operation = ?", static_cast<std::int64_t>(*filter.operation));
  }
  if (filter.created_after) add("created_at > ?", to_micros(*filter.created_after));
  if (filter.created_before) add("created_at < ?", to_micros(*filter.created_before));
  if (filter.before) add("number < ?", filter.before->value());
  return conditions;
}

}  // namespace

// --- Jobs -----------------------------------------------------------------------------

Result<Job> SqliteJobStore::create(const NewJob& job) {
  return write([&](SqliteConnection& connection) -> Result<Job> {
    if (!job.idempotency_key.empty()) {
      TALLY_TRY_ASSIGN(
          auto select,
          connection.prepare(
              "SELECT 1 FROM tallyman_job WHERE owner = ?1 AND resource = ?2 "
              "AND idempotency_key = ?3 AND idempotency_key <> '' "
              "AND (state < 3 OR submission IS NOT NULL)"));
      select.bind_all(job.owner, job.resource, job.idempotency_key);
      TALLY_TRY_ASSIGN(const bool is_taken, select.step());
      if (is_taken) return key_taken(job);
    }
    if (job.open_jobs_max) {
      TALLY_TRY_ASSIGN(const bool has_room,
                       has_fewer_open_jobs(connection, job.owner, *job.open_jobs_max));
      if (!has_room) return too_many_open_jobs(job.owner, *job.open_jobs_max);
    }
    return insert_job(connection, job, clock_.now());
  });
}

Result<Job> SqliteJobStore::find(const JobId& id) {
  return read_in(database_,
                 [&](SqliteConnection& connection) { return find_job(connection, id); });
}

Result<Job> SqliteJobStore::find(JobNumber number) {
  return read_in(database_, [&](SqliteConnection& connection) {
    return find_job(connection, number);
  });
}

Result<std::optional<Job>> SqliteJobStore::find_by_idempotency_key(
    std::string_view owner, std::string_view resource, std::string_view key) {
  if (key.empty()) return std::optional<Job>();
  return read_in(
      database_, [&](SqliteConnection& connection) -> Result<std::optional<Job>> {
        TALLY_TRY_ASSIGN(
            auto select,
            connection.prepare("SELECT " + std::string(kJobColumns) +
                               " FROM tallyman_job WHERE owner = ?1 AND resource = ?2 "
                               "AND idempotency_key = ?3 AND idempotency_key <> '' "
                               "AND (state < 3 OR submission IS NOT NULL)"));
        select.bind_all(owner, resource, key);
        TALLY_TRY_ASSIGN(auto jobs, read_jobs(select));
        if (jobs.empty()) return std::optional<Job>();
        return std::optional(std::move(jobs.front()));
      });
}

Result<std::vector<Job>> SqliteJobStore::list(const JobFilter& filter) {
  const std::vector<Condition> conditions = conditions_of(filter);
  std::string sql =
      "SELECT " + std::string(kJobColumns) + " FROM tallyman_job WHERE number > 0";
  for (const Condition& condition : conditions) sql += " AND " + condition.sql;
  for (std::size_t i = 0; i < filter.resources.size(); ++i) {
    sql += i == 0 ? " AND resource IN (?" : ", ?";
  }
  if (!filter.resources.empty()) sql += ")";
  sql += " ORDER BY number DESC LIMIT ?";

  return read_in(
      database_, [&](SqliteConnection& connection) -> Result<std::vector<Job>> {
        TALLY_TRY_ASSIGN(auto select, connection.prepare(sql));
        int place = 0;
        for (const Condition& condition : conditions) {
          ++place;
          if (const auto* text = std::get_if<std::string>(&condition.value)) {
            select.bind_text(place, *text);
          } else {
            select.bind_integer(place, std::get<std::int64_t>(condition.value));
          }
        }
        for (const std::string& resource : filter.resources) {
          select.bind_text(++place, resource);
        }
        select.bind_integer(++place, static_cast<std::int64_t>(filter.limit));
        return read_jobs(select);
      });
}

Result<std::vector<JobHistoryEntry>> SqliteJobStore::history(JobNumber job) {
  using Entries = std::vector<JobHistoryEntry>;
  return read_in(database_, [&](SqliteConnection& connection) -> Result<Entries> {
    TALLY_TRY_ASSIGN(
        auto select,
        connection.prepare(
            "SELECT sequence, at, event, from_state, to_state, actor, detail "
            "FROM tallyman_job_event WHERE job = ?1 ORDER BY sequence"));
    select.bind_all(job.value());
    const auto state = [&](int place) -> std::optional<JobState> {
      const auto number = select.optional_integer(place);
      if (!number) return std::nullopt;
      return static_cast<JobState>(*number);
    };
    Entries entries;
    while (true) {
      TALLY_TRY_ASSIGN(const bool has_row, select.step());
      if (!has_row) return entries;
      entries.push_back({.sequence = select.integer(0),
                         .at = from_micros(select.integer(1)),
                         .event = std::string(select.text(2)),
                         .from = state(3),
                         .to = state(4),
                         .by = std::string(select.text(5)),
                         .detail = std::string(select.text(6))});
    }
  });
}

Result<Job> SqliteJobStore::apply(const JobChange& change) {
  const auto apply_now = [&] {
    return write(
        [&](SqliteConnection& connection) { return apply_in(connection, change); });
  };
  if (change.event != JobEvent::kAbortRequested) return apply_now();

  TALLY_TRY_ASSIGN(const Job job, find(change.id));
  std::multiset<JobNumber>::iterator request;
  {
    const std::lock_guard lock(leases_mutex_);
    request = ends_requested_.insert(job.number);
  }
  auto applied = apply_now();
  const std::lock_guard lock(leases_mutex_);
  ends_requested_.erase(request);
  return applied;
}

bool SqliteJobStore::end_is_requested(JobNumber job) const {
  const std::lock_guard lock(leases_mutex_);
  return ends_requested_.contains(job);
}

Result<Job> SqliteJobStore::apply(db::Transaction& transaction, const JobChange& change) {
  return apply_in(db::sqlite(transaction), change);
}

Result<Job> SqliteJobStore::apply_in(SqliteConnection& connection,
                                     const JobChange& change) {
  TALLY_TRY_ASSIGN(const Job job, find_job(connection, change.id));
  TALLY_TRY_ASSIGN(Job changed, changed_job(job, change, clock_.now()));
  if (change.claim) TALLY_TRY(check_claim(connection, *change.claim));
  if (change.event == JobEvent::kUploadCompleted) {
    TALLY_TRY(store_bytes(connection, changed, change.upload->stored_bytes_max));
    TALLY_TRY_ASSIGN(changed.submission, next_submission(connection, job.table));
  }
  TALLY_TRY(update_job(connection, job, changed));
  if (is_terminal(changed.state) && job.state == JobState::kInProgress) {
    TALLY_TRY(give_share_back(connection, job, weights_.rest_of(changed)));
  }
  if (change.event == JobEvent::kUploadCompleted || is_terminal(changed.state)) {
    TALLY_TRY(run(connection, "DELETE FROM tallyman_lease WHERE job = ?1", job.number));
  }
  TALLY_TRY(append_history(connection, job.number, changed.updated_at,
                           {.event = name(change.event),
                            .from = job.state,
                            .to = changed.state,
                            .by = change.by,
                            .detail = change.detail}));
  return changed;
}

Result<void> SqliteJobStore::note(JobNumber job, std::string_view event,
                                  std::string_view by, std::string_view detail) {
  return write([&](SqliteConnection& connection) -> Result<void> {
    TALLY_TRY(find_job(connection, job));
    return append_history(connection, job, clock_.now(),
                          {.event = event, .by = by, .detail = detail});
  });
}

Result<void> SqliteJobStore::remove(const JobId& id) {
  return write([&](SqliteConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(const Job job, find_job(connection, id));
    if (!is_terminal(job.state)) return has_not_ended(job);
    TALLY_TRY(unstore_bytes(connection, job));
    // History, leases, units and aggregates go with the row (ON DELETE CASCADE).
    return run(connection, "DELETE FROM tallyman_job WHERE number = ?1", job.number);
  });
}

// --- What an owner has ---------------------------------------------------------------

Result<std::uint64_t> SqliteJobStore::stored_bytes(std::string_view owner) {
  return read_in(database_, [&](SqliteConnection& connection) {
    return read_stored_bytes(connection, owner);
  });
}

Result<std::vector<JobId>> SqliteJobStore::open_jobs(std::string_view owner) {
  return read_in(database_, [&](SqliteConnection& connection) {
    return read_open_jobs(connection, owner);
  });
}

// --- What a worker reports ------------------------------------------------------------

Result<void> SqliteJobStore::set_checked_items(const Claim& claim, std::uint64_t items) {
  return write([&](SqliteConnection& connection) -> Result<void> {
    TALLY_TRY(check_claim(connection, claim));
    TALLY_TRY_ASSIGN(
        auto update,
        connection.prepare("UPDATE tallyman_job SET "
                           "checked_items = max(checked_items, ?2) WHERE number = ?1"));
    update.bind_all(claim.job.value(), items);
    return update.run();
  });
}

Result<void> SqliteJobStore::add_retry(JobNumber job, std::string_view reason) {
  return write([&](SqliteConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(const Job before, find_job(connection, job));
    TALLY_TRY(run(connection,
                  "UPDATE tallyman_job SET retries = retries + 1 WHERE number = ?1",
                  job));
    if (before.retries >= kNotedRetriesMax) return {};
    return append_history(connection, job, clock_.now(),
                          {.event = "retried", .by = "system", .detail = reason});
  });
}

Result<void> SqliteJobStore::set_lanes_reason(JobNumber job, std::string_view reason) {
  return write([&](SqliteConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(auto update,
                     connection.prepare("UPDATE tallyman_job SET "
                                        "lanes_reason = ?2 WHERE number = ?1"));
    update.bind_all(job.value(), reason);
    return update.run();
  });
}

// --- Retention ------------------------------------------------------------------------

Result<std::vector<Job>> SqliteJobStore::select_jobs(std::string_view where,
                                                     Timestamp time, std::size_t limit) {
  const std::string sql = "SELECT " + std::string(kJobColumns) +
                          " FROM tallyman_job WHERE " + std::string(where) + " LIMIT ?2";
  return read_in(database_,
                 [&](SqliteConnection& connection) -> Result<std::vector<Job>> {
                   TALLY_TRY_ASSIGN(auto select, connection.prepare(sql));
                   select.bind_all(to_micros(time), limit);
                   return read_jobs(select);
                 });
}

Result<std::vector<Job>> SqliteJobStore::open_before(Timestamp time) {
  return select_jobs("state = 0 AND created_at < ?1 ORDER BY created_at", time,
                     limits::kListPageMax);
}

Result<std::vector<Job>> SqliteJobStore::ended_before(Timestamp time, std::size_t limit) {
  return select_jobs(
      "state >= 3 AND completed_at < ?1 AND results_expired = 0 ORDER BY completed_at",
      time, limit);
}

Result<std::vector<Job>> SqliteJobStore::removable_before(Timestamp time,
                                                          std::size_t limit) {
  return select_jobs("state >= 3 AND completed_at < ?1 ORDER BY completed_at", time,
                     limit);
}

Result<void> SqliteJobStore::expire_results(JobNumber job) {
  return write([&](SqliteConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(const Job before, find_job(connection, job));
    if (before.results_expired) return {};
    if (!is_terminal(before.state)) {
      return Error{ErrorCode::kConflict,
                   "job " + before.id.to_string() + " is " +
                       std::string(name(before.state)) +
                       ": its results are still growing",
                   "INVALID_STATE"};
    }
    TALLY_TRY(unstore_bytes(connection, before));
    TALLY_TRY(run(connection,
                  "UPDATE tallyman_job SET results_expired = 1 WHERE number = ?1", job));
    TALLY_TRY(run(connection, "DELETE FROM tallyman_unit WHERE job = ?1", job));
    TALLY_TRY(
        run(connection, "DELETE FROM tallyman_parent_record WHERE child = ?1", job));
    return append_history(connection, job, clock_.now(),
                          {.event = "results_expired", .by = "system", .detail = {}});
  });
}

Result<bool> SqliteJobStore::written_since(const Job& job) {
  if (!job.submission) return false;
  return read_in(database_, [&](SqliteConnection& connection) -> Result<bool> {
    TALLY_TRY_ASSIGN(
        auto select,
        connection.prepare(
            "SELECT 1 FROM tallyman_table WHERE name = ?1 AND last_written > ?2 "
            "UNION ALL SELECT 1 FROM tallyman_job j WHERE ?3 AND j.table_name = ?1 "
            "AND j.submission <> ?2 AND j.dry_run = 0 AND (j.state = 2 AND EXISTS "
            "(SELECT 1 FROM tallyman_unit u WHERE u.job = j.number AND "
            "u.created + u.updated + u.deleted > 0) OR j.completed_at >= ?4 AND "
            "j.created + j.updated + j.deleted > 0)"));
    select.bind_all(job.table, *job.submission, job.parallel,
                    job.completed_at ? to_micros(*job.completed_at) : 0);
    return select.step();
  });
}

}  // namespace tallyman
