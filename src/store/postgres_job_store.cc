#include "store/postgres_job_store.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "model/limits.h"
#include "store/postgres_job_rows.h"
#include "store/postgres_lease_rows.h"
#include "store/postgres_owner_rows.h"

namespace tallyman {
namespace {

using db::PostgresConnection;

// Of a job that is retried for hours the history keeps the beginning; the job counts all.
constexpr std::int64_t kNotedRetriesMax = 100;

Error key_taken(const NewJob& job) {
  return {ErrorCode::kConflict, "resource " + job.resource +
                                    ": there is a job with this Idempotency-Key already"};
}

constexpr const char* kOfKey =
    "WHERE j.owner = $1 AND j.resource = $2 AND j.idempotency_key = $3 "
    "AND j.idempotency_key <> '' AND (j.state < 3 OR j.submission IS NOT NULL)";

// The table's row stays locked until the transaction ends: the numbers are in the order
// of the commits, and none is left out.
Result<std::int64_t> next_submission(PostgresConnection& connection,
                                     std::string_view table) {
  TALLY_TRY_ASSIGN(const auto number,
                   connection.execute(
                       "INSERT INTO tallyman.table AS t (name, last_submission) "
                       "VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET last_submission "
                       "= t.last_submission + 1 RETURNING last_submission",
                       table));
  return number.integer(0, 0);
}

// Units do not write into the table's row, which all lanes would queue at: the job does
// when it ends (written_since() looks at the units of one that has not).
Result<void> note_written(PostgresConnection& connection, const Job& job) {
  const OutcomeCounts& counts = job.counts;
  if (job.options.dry_run || counts.created + counts.updated + counts.deleted == 0) {
    return {};
  }
  TALLY_TRY(
      connection.execute("UPDATE tallyman.table SET last_written = greatest("
                         "last_written, $2) WHERE name = $1",
                         job.table, job.submission));
  return {};
}

Result<void> run(PostgresConnection& connection, const char* sql, JobNumber job) {
  TALLY_TRY(connection.execute(sql, job.value()));
  return {};
}

// "WHERE ... $1 ..." and what stands for $1.
class Conditions {
 public:
  template <class Value>
  void add(const std::string& condition, const Value& value) {
    params_.add(value);
    sql_ += " AND " + condition + "$" + std::to_string(params_.size());
  }
  void add_one_of(const std::string& column, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      params_.add(text);
      sql_ += (&text == &texts.front() ? " AND " + column + " IN ($" : ", $") +
              std::to_string(params_.size());
    }
    if (!texts.empty()) sql_ += ")";
  }
  const std::string& sql() const { return sql_; }
  db::PostgresParams& params() { return params_; }

 private:
  std::string sql_ = "WHERE true";
  db::PostgresParams params_;
};

Conditions conditions_of(const JobFilter& filter) {
  Conditions conditions;
  if (filter.owner) conditions.add("j.owner = ", *filter.owner);
  if (filter.state) conditions.add("j.state = ", *filter.state);
  if (filter.operation) conditions.add("j.operation = ", *filter.operation);
  if (filter.created_after) {
    conditions.add("j.created_at > ", to_micros(*filter.created_after));
  }
  if (filter.created_before) {
    conditions.add("j.created_at < ", to_micros(*filter.created_before));
  }
  if (filter.before) conditions.add("j.number < ", filter.before->value());
  conditions.add_one_of("j.resource", filter.resources);
  return conditions;
}

}  // namespace

PostgresJobStore::PostgresJobStore(db::PostgresDatabase& database, const Clock& clock,
                                   Random& random, PostgresJobStoreOptions options)
    : database_(database),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      listener_(database, [this](PostgresListener::News news) {
        news == PostgresListener::News::kUnit ? announce_unit() : announce();
      }) {}

// --- Jobs -----------------------------------------------------------------------------

Result<Job> PostgresJobStore::create(const NewJob& job) {
  return write([&](PostgresConnection& connection) -> Result<Job> {
    if (!job.idempotency_key.empty()) {
      TALLY_TRY_ASSIGN(const auto taken,
                       connection.execute(
                           "SELECT 1 FROM tallyman.job j " + std::string(kOfKey),
                           job.owner, job.resource, storable_text(job.idempotency_key)));
      if (taken.rows() > 0) return key_taken(job);
    }
    if (job.open_jobs_max) {
      TALLY_TRY_ASSIGN(const bool has_room,
                       has_fewer_open_jobs(connection, job.owner, *job.open_jobs_max));
      if (!has_room) return too_many_open_jobs(job.owner, *job.open_jobs_max);
    }
    TALLY_TRY_ASSIGN(auto made, insert_job(connection, job, clock_.now()));
    if (!made) return key_taken(job);
    if (job.parent) TALLY_TRY(insert_leases(connection, made->number, 1));
    return *std::move(made);
  });
}

Result<Job> PostgresJobStore::find(const JobId& id) {
  return postgres_read(database_, [&](PostgresConnection& connection) {
    return find_job(connection, id);
  });
}

Result<Job> PostgresJobStore::find(JobNumber number) {
  return postgres_read(database_, [&](PostgresConnection& connection) {
    return find_job(connection, number);
  });
}

Result<std::optional<Job>> PostgresJobStore::find_by_idempotency_key(
    std::string_view owner, std::string_view resource, std::string_view key) {
  if (key.empty()) return std::optional<Job>();
  return postgres_read(
      database_, [&](PostgresConnection& connection) -> Result<std::optional<Job>> {
        TALLY_TRY_ASSIGN(const auto rows,
                         connection.execute(std::string(kSelectJobs) + kOfKey, owner,
                                            resource, storable_text(key)));
        TALLY_TRY_ASSIGN(auto jobs, read_jobs(rows));
        if (jobs.empty()) return std::optional<Job>();
        return std::optional(std::move(jobs.front()));
      });
}

Result<std::vector<Job>> PostgresJobStore::list(const JobFilter& filter) {
  Conditions conditions = conditions_of(filter);
  conditions.params().add(filter.limit);
  const std::string sql = std::string(kSelectJobs) + conditions.sql() +
                          " ORDER BY j.number DESC LIMIT $" +
                          std::to_string(conditions.params().size());
  return postgres_read(
      database_, [&](PostgresConnection& connection) -> Result<std::vector<Job>> {
        TALLY_TRY_ASSIGN(const auto rows,
                         connection.execute_params(sql, conditions.params()));
        return read_jobs(rows);
      });
}

Result<std::vector<JobHistoryEntry>> PostgresJobStore::history(JobNumber job) {
  using Entries = std::vector<JobHistoryEntry>;
  return postgres_read(database_, [&](PostgresConnection& connection) -> Result<Entries> {
    TALLY_TRY_ASSIGN(
        const auto rows,
        connection.execute("SELECT sequence, at, event, from_state, to_state, actor, "
                           "detail FROM tallyman.job_event WHERE job = $1 "
                           "ORDER BY sequence",
                           job.value()));
    const auto state = [&](int row, int place) -> std::optional<JobState> {
      const auto number = rows.optional_integer(row, place);
      if (!number) return std::nullopt;
      return static_cast<JobState>(*number);
    };
    Entries entries;
    for (int row = 0; row < rows.rows(); ++row) {
      entries.push_back({.sequence = rows.integer(row, 0),
                         .at = from_micros(rows.integer(row, 1)),
                         .event = std::string(rows.text(row, 2)),
                         .from = state(row, 3),
                         .to = state(row, 4),
                         .by = std::string(rows.text(row, 5)),
                         .detail = std::string(rows.text(row, 6))});
    }
    return entries;
  });
}

Result<Job> PostgresJobStore::apply(const JobChange& change) {
  return write(
      [&](PostgresConnection& connection) { return apply_in(connection, change); });
}

Result<Job> PostgresJobStore::apply(db::Transaction& transaction,
                                    const JobChange& change) {
  auto& connection = db::postgres(transaction);
  TALLY_TRY_ASSIGN(auto changed, apply_in(connection, change));
  TALLY_TRY(postgres_notify(connection));
  return changed;
}

Result<Job> PostgresJobStore::apply_in(PostgresConnection& connection,
                                       const JobChange& change) {
  TALLY_TRY_ASSIGN(const Job job, lock_job(connection, change.id));
  TALLY_TRY_ASSIGN(Job changed, changed_job(job, change, clock_.now()));
  if (change.claim) {
    TALLY_TRY(check_claim(connection, *change.claim, ClaimLock::kNone));
  }
  const bool is_completed = change.event == JobEvent::kUploadCompleted;
  if (is_completed || is_terminal(changed.state)) {
    TALLY_TRY(run(connection, "DELETE FROM tallyman.lease WHERE job = $1", job.number));
  }
  if (is_completed) {
    TALLY_TRY(store_bytes(connection, changed, change.upload->stored_bytes_max));
    TALLY_TRY_ASSIGN(changed.submission, next_submission(connection, job.table));
    // Under the table's lock: times are in the submissions' order.
    changed.updated_at = std::max(changed.updated_at, clock_.now());
  }
  if (is_terminal(changed.state) && job.state == JobState::kInProgress) {
    TALLY_TRY(give_share_back(connection, job, options_.weights.rest_of(changed)));
  }
  TALLY_TRY(update_job(connection, job, changed));
  if (is_terminal(changed.state)) TALLY_TRY(note_written(connection, changed));
  TALLY_TRY(append_history(connection, job.number, changed.updated_at,
                           {.event = name(change.event),
                            .from = job.state,
                            .to = changed.state,
                            .by = change.by,
                            .detail = change.detail}));
  return changed;
}

Result<void> PostgresJobStore::note(JobNumber job, std::string_view event,
                                    std::string_view by, std::string_view detail) {
  return write([&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY(find_job(connection, job));
    return append_history(connection, job, clock_.now(),
                          {.event = event, .by = by, .detail = detail});
  });
}

Result<void> PostgresJobStore::remove(const JobId& id) {
  return write([&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(const Job job, lock_job(connection, id, JobLock::kRemove));
    if (!is_terminal(job.state)) return has_not_ended(job);
    TALLY_TRY(unstore_bytes(connection, job));
    // History, leases, units and aggregates go with the row (ON DELETE CASCADE).
    return run(connection, "DELETE FROM tallyman.job WHERE number = $1", job.number);
  });
}

// --- What an owner has ---------------------------------------------------------------

Result<std::uint64_t> PostgresJobStore::stored_bytes(std::string_view owner) {
  return postgres_read(database_, [&](PostgresConnection& connection) {
    return read_stored_bytes(connection, owner);
  });
}

Result<std::vector<JobId>> PostgresJobStore::open_jobs(std::string_view owner) {
  return postgres_read(database_, [&](PostgresConnection& connection) {
    return read_open_jobs(connection, owner);
  });
}

// --- What a worker reports ------------------------------------------------------------

Result<void> PostgresJobStore::set_checked_items(const Claim& claim,
                                                 std::uint64_t items) {
  return write([&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY(check_claim(connection, claim, ClaimLock::kNone));
    TALLY_TRY(
        connection.execute("UPDATE tallyman.job SET checked_items = "
                           "greatest(checked_items, $2) WHERE number = $1",
                           claim.job.value(), items));
    return {};
  });
}

Result<void> PostgresJobStore::add_retry(JobNumber job, std::string_view reason) {
  return write([&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(const auto counted,
                     connection.execute("UPDATE tallyman.job SET retries = retries + 1 "
                                        "WHERE number = $1 RETURNING retries",
                                        job.value()));
    if (counted.rows() == 0) return find_job(connection, job).error();
    if (counted.integer(0, 0) > kNotedRetriesMax) return {};
    return append_history(connection, job, clock_.now(),
                          {.event = "retried", .by = "system", .detail = reason});
  });
}

Result<void> PostgresJobStore::set_lanes_reason(JobNumber job, std::string_view reason) {
  return write([&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY(
        connection.execute("UPDATE tallyman.job SET lanes_reason = $2 WHERE number = $1",
                           job.value(), storable_text(reason)));
    return {};
  });
}

// --- Retention ------------------------------------------------------------------------

Result<std::vector<Job>> PostgresJobStore::select_jobs(std::string_view where,
                                                       Timestamp time,
                                                       std::size_t limit) {
  const std::string sql =
      std::string(kSelectJobs) + "WHERE " + std::string(where) + " LIMIT $2";
  return postgres_read(
      database_, [&](PostgresConnection& connection) -> Result<std::vector<Job>> {
        TALLY_TRY_ASSIGN(const auto rows,
                         connection.execute(sql, to_micros(time), limit));
        return read_jobs(rows);
      });
}

Result<std::vector<Job>> PostgresJobStore::open_before(Timestamp time) {
  return select_jobs("j.state = 0 AND j.created_at < $1 ORDER BY j.created_at", time,
                     limits::kListPageMax);
}

Result<std::vector<Job>> PostgresJobStore::ended_before(Timestamp time,
                                                        std::size_t limit) {
  return select_jobs(
      "j.state >= 3 AND j.completed_at < $1 AND NOT j.results_expired "
      "ORDER BY j.completed_at",
      time, limit);
}

Result<std::vector<Job>> PostgresJobStore::removable_before(Timestamp time,
                                                            std::size_t limit) {
  return select_jobs("j.state >= 3 AND j.completed_at < $1 ORDER BY j.completed_at", time,
                     limit);
}

Result<void> PostgresJobStore::expire_results(JobNumber job) {
  return write([&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(const Job before, lock_job(connection, job));
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
                  "UPDATE tallyman.job SET results_expired = true WHERE number = $1",
                  job));
    TALLY_TRY(run(connection, "DELETE FROM tallyman.unit WHERE job = $1", job));
    TALLY_TRY(
        run(connection, "DELETE FROM tallyman.parent_record WHERE child = $1", job));
    return append_history(connection, job, clock_.now(),
                          {.event = "results_expired", .by = "system", .detail = {}});
  });
}

Result<bool> PostgresJobStore::written_since(const Job& job) {
  if (!job.submission) return false;
  return postgres_read(database_, [&](PostgresConnection& connection) -> Result<bool> {
    TALLY_TRY_ASSIGN(
        const auto written,
        connection.execute(
            "SELECT EXISTS (SELECT 1 FROM tallyman.table WHERE name = $1 "
            "AND last_written > $2) OR EXISTS (SELECT 1 FROM tallyman.job j "
            "JOIN tallyman.unit u ON u.job = j.number WHERE j.table_name = $1 "
            "AND j.submission > $2 AND j.state IN (1, 2) AND NOT j.dry_run "
            "AND u.created + u.updated + u.deleted > 0) OR ($3 AND EXISTS "
            "(SELECT 1 FROM tallyman.job j WHERE j.table_name = $1 "
            "AND j.submission <> $2 AND NOT j.dry_run AND (j.state = 2 AND EXISTS "
            "(SELECT 1 FROM tallyman.unit u WHERE u.job = j.number AND "
            "u.created + u.updated + u.deleted > 0) OR j.completed_at >= $4 AND "
            "j.created + j.updated + j.deleted > 0)))",
            job.table, *job.submission, job.parallel,
            job.completed_at ? to_micros(*job.completed_at) : 0));
    return written.boolean(0, 0);
  });
}

}  // namespace tallyman
