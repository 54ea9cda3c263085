#include "store/postgres_job_rows.h"

#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "store/ledger_codec.h"

namespace tallyman {
namespace {

using db::PostgresConnection;
using db::PostgresResult;

std::optional<std::int64_t> optional_micros(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return to_micros(*time);
}

Error damaged(JobNumber number, std::string_view what) {
  return {ErrorCode::kInternal, "job number " + std::to_string(number.value()) +
                                    ": its stored " + std::string(what) +
                                    " cannot be read; check the database"};
}

Error no_such_job(const std::string& what) {
  return {ErrorCode::kNotFound, "job " + what + " does not exist"};
}
Error no_such_job(const JobId& id) { return no_such_job(id.to_string()); }
Error no_such_job(JobNumber number) {
  return no_such_job("number " + std::to_string(number.value()));
}

// Reads the columns of kSelectJobs in their order.
class JobReader {
 public:
  JobReader(const PostgresResult& rows, int row) : rows_(rows), row_(row) {}

  Result<Job> read() {
    const JobNumber number(integer());
    const auto uuid = Uuid::parse(text());
    if (!uuid) return damaged(number, "id");
    Job job{.id = JobId(*uuid), .number = number};
    job.resource = text();
    job.table = text();
    job.operation = static_cast<Operation>(integer());
    job.state = static_cast<JobState>(integer());
    job.owner = text();
    job.created_by = text();
    TALLY_TRY_ASSIGN(job.options, job_options_from_json(text()));
    job.created_at = from_micros(integer());
    job.updated_at = from_micros(integer());
    job.started_at = time();
    job.completed_at = time();
    job.epoch = Epoch(integer());
    job.submission = optional();
    read_plan(job);
    TALLY_TRY_ASSIGN(job.columns, decode_texts(rows_.bytes(row_, place_++)));
    job.upload_bytes = number_of();
    if (const auto total = optional())
      job.total_items = static_cast<std::uint64_t>(*total);
    job.checked_items = number_of();
    job.counts.created = number_of();
    job.counts.updated = number_of();
    job.counts.unchanged = number_of();
    job.counts.deleted = number_of();
    job.counts.failed = number_of();
    job.message = text();
    job.verified = boolean();
    job.results_expired = boolean();
    job.retries = number_of();
    job.lanes_reason = text();
    if (const auto parent = text(); !parent.empty()) {
      const auto parent_id = Uuid::parse(parent);
      if (!parent_id) return damaged(number, "parent");
      job.parent = JobId(*parent_id);
    }
    job.superseded = number_of();
    job.idempotency_key = text();
    job.fingerprint = text();
    auto acting = acting_as_from_json(text());
    if (!acting.ok()) return damaged(number, "role");
    job.acting = std::move(acting).value();
    job.parallel = boolean();
    return job;
  }

 private:
  void read_plan(Job& job) {
    const auto records = optional();
    const auto bytes = optional();
    const auto slices = optional();
    std::string sliced_by(text());
    if (!records || !bytes || !slices) return;
    job.plan = WindowPlan{.window_records = static_cast<std::uint64_t>(*records),
                          .window_bytes = static_cast<std::uint64_t>(*bytes),
                          .slices = static_cast<std::uint32_t>(*slices),
                          .sliced_by = std::move(sliced_by)};
  }
  std::int64_t integer() { return rows_.integer(row_, place_++); }
  bool boolean() { return rows_.boolean(row_, place_++); }
  std::uint64_t number_of() { return static_cast<std::uint64_t>(integer()); }
  std::string_view text() { return rows_.text(row_, place_++); }
  std::optional<std::int64_t> optional() {
    return rows_.optional_integer(row_, place_++);
  }
  std::optional<Timestamp> time() {
    const auto micros = optional();
    if (!micros) return std::nullopt;
    return from_micros(*micros);
  }

  const PostgresResult& rows_;
  const int row_;
  int place_ = 0;
};

template <class Key>
Result<Job> find_by(PostgresConnection& connection, const char* where, const Key& key,
                    const auto& id) {
  TALLY_TRY_ASSIGN(const auto rows,
                   connection.execute(std::string(kSelectJobs) + where, key));
  TALLY_TRY_ASSIGN(auto jobs, read_jobs(rows));
  if (jobs.empty()) return no_such_job(id);
  return std::move(jobs.front());
}

template <class Key>
Result<JobNumber> lock_by(PostgresConnection& connection, const char* where,
                          const Key& key, const auto& id, JobLock lock) {
  TALLY_TRY_ASSIGN(
      const auto locked,
      connection.execute(
          "SELECT number FROM tallyman.job WHERE " + std::string(where) +
              (lock == JobLock::kRemove ? " FOR UPDATE" : " FOR NO KEY UPDATE"),
          key));
  if (locked.rows() == 0) return no_such_job(id);
  return JobNumber(locked.integer(0, 0));
}

}  // namespace

const std::string_view kSelectJobs =
    "SELECT j.number, j.id, j.resource, j.table_name, j.operation, j.state, j.owner, "
    "j.created_by, j.options, j.created_at, j.updated_at, j.started_at, j.completed_at, "
    "j.epoch, j.submission, j.window_records, j.window_bytes, j.slices, j.sliced_by, "
    "j.columns, "
    "j.upload_bytes, j.total_items, j.checked_items, coalesce(s.created, j.created), "
    "coalesce(s.updated, j.updated), coalesce(s.unchanged, j.unchanged), "
    "coalesce(s.deleted, j.deleted), coalesce(s.failed, j.failed), j.message, "
    "j.verified, j.results_expired, j.retries, j.lanes_reason, j.parent, j.superseded, "
    "j.idempotency_key, j.fingerprint, j.acting, j.parallel FROM tallyman.job j LEFT "
    "JOIN LATERAL "
    "(SELECT sum(created) AS created, sum(updated) AS updated, "
    "sum(unchanged) AS unchanged, sum(deleted) AS deleted, sum(failed) AS failed "
    "FROM tallyman.unit WHERE job = j.number AND j.state = 2) s ON true ";

Result<std::vector<Job>> read_jobs(const PostgresResult& rows) {
  std::vector<Job> jobs;
  for (int row = 0; row < rows.rows(); ++row) {
    TALLY_TRY_ASSIGN(auto job, JobReader(rows, row).read());
    jobs.push_back(std::move(job));
  }
  return jobs;
}

Result<Job> find_job(PostgresConnection& connection, const JobId& id) {
  return find_by(connection, "WHERE j.id = $1", id.to_string(), id);
}

Result<Job> find_job(PostgresConnection& connection, JobNumber number) {
  return find_by(connection, "WHERE j.number = $1", number.value(), number);
}

// Read by a statement of its own: the one that waited for the lock sees the units as they
// were before it waited.
Result<Job> lock_job(PostgresConnection& connection, const JobId& id, JobLock lock) {
  TALLY_TRY_ASSIGN(const JobNumber number,
                   lock_by(connection, "id = $1", id.to_string(), id, lock));
  return find_job(connection, number);
}

Result<Job> lock_job(PostgresConnection& connection, JobNumber number) {
  TALLY_TRY(lock_by(connection, "number = $1", number.value(), number, JobLock::kChange));
  return find_job(connection, number);
}

Result<std::optional<Job>> insert_job(PostgresConnection& connection, const NewJob& job,
                                      Timestamp now) {
  std::optional<std::string> parent;
  if (job.parent) parent = job.parent->to_string();
  TALLY_TRY_ASSIGN(
      const auto inserted,
      connection.execute(
          "INSERT INTO tallyman.job (id, resource, table_name, operation, state, owner, "
          "created_by, options, dry_run, created_at, updated_at, columns, parent, "
          "superseded, idempotency_key, acting, parallel) VALUES ($1, $2, $3, $4, 0, $5, "
          "$6, $7, $8, $9, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING "
          "RETURNING number",
          job.id.to_string(), job.resource, job.table, job.operation, job.owner,
          job.created_by, to_json(job.options), job.options.dry_run, to_micros(now),
          encode_texts({}), parent, job.superseded, storable_text(job.idempotency_key),
          to_json(job.acting), job.parallel));
  if (inserted.rows() == 0) return std::optional<Job>();
  const JobNumber number(inserted.integer(0, 0));
  TALLY_TRY(append_history(
      connection, number, now,
      {.event = "created",
       .to = JobState::kOpen,
       .by = job.created_by,
       .detail = job.acting.role.empty() ? "" : "as role " + job.acting.role}));
  TALLY_TRY_ASSIGN(auto made, find_job(connection, number));
  return std::optional(std::move(made));
}

Result<void> update_job(PostgresConnection& connection, const Job& before,
                        const Job& after) {
  std::optional<std::uint64_t> window_records;
  std::optional<std::uint64_t> window_bytes;
  std::optional<std::uint32_t> slices;
  std::optional<std::string> sliced_by;
  if (after.plan) {
    window_records = after.plan->window_records;
    window_bytes = after.plan->window_bytes;
    slices = after.plan->slices;
    sliced_by = after.plan->sliced_by;
  }
  std::optional<std::int64_t> submitted_at;
  if (after.submission) submitted_at = to_micros(after.updated_at);
  TALLY_TRY_ASSIGN(
      const auto update,
      connection.execute(
          "UPDATE tallyman.job SET operation = $4, state = $5, options = $6, "
          "dry_run = $7, updated_at = $8, started_at = $9, completed_at = $10, "
          "epoch = $11, submission = $12, submitted_at = coalesce(submitted_at, $13), "
          "window_records = $14, window_bytes = $15, slices = $16, columns = $17, "
          "upload_bytes = $18, total_items = $19, created = $20, updated = $21, "
          "unchanged = $22, deleted = $23, failed = $24, message = $25, verified = $26, "
          "superseded = $27, fingerprint = $28, sliced_by = $29 "
          "WHERE number = $1 AND state = $2 AND epoch = $3",
          before.number.value(), before.state, before.epoch.value(), after.operation,
          after.state, to_json(after.options), after.options.dry_run,
          to_micros(after.updated_at), optional_micros(after.started_at),
          optional_micros(after.completed_at), after.epoch.value(), after.submission,
          submitted_at, window_records, window_bytes, slices, encode_texts(after.columns),
          after.upload_bytes, after.total_items, after.counts.created,
          after.counts.updated, after.counts.unchanged, after.counts.deleted,
          after.counts.failed, storable_text(after.message), after.verified,
          after.superseded, after.fingerprint, sliced_by));
  CHECK(update.affected() == 1);
  return {};
}

Result<void> append_history(PostgresConnection& connection, JobNumber job, Timestamp now,
                            const NewHistoryEntry& entry) {
  while (true) {
    TALLY_TRY_ASSIGN(
        const auto inserted,
        connection.execute(
            "INSERT INTO tallyman.job_event (job, sequence, at, event, from_state, "
            "to_state, actor, detail) SELECT $1, coalesce(max(sequence), 0) + 1, "
            "greatest(max(at), $2), $3, $4, $5, $6, $7 FROM tallyman.job_event "
            "WHERE job = $1 ON CONFLICT (job, sequence) DO NOTHING",
            job.value(), to_micros(now), entry.event, entry.from, entry.to,
            storable_text(entry.by), storable_text(entry.detail)));
    // None: somebody has taken the number meanwhile.
    if (inserted.affected() == 1) return {};
  }
}

Result<OutcomeCounts> sum_units(PostgresConnection& connection, JobNumber job) {
  TALLY_TRY_ASSIGN(
      const auto sums,
      connection.execute("SELECT coalesce(sum(created), 0), coalesce(sum(updated), 0), "
                         "coalesce(sum(unchanged), 0), coalesce(sum(deleted), 0), "
                         "coalesce(sum(failed), 0) FROM tallyman.unit WHERE job = $1",
                         job.value()));
  const auto number = [&](int place) {
    return static_cast<std::uint64_t>(sums.integer(0, place));
  };
  return OutcomeCounts{.created = number(0),
                       .updated = number(1),
                       .unchanged = number(2),
                       .deleted = number(3),
                       .failed = number(4)};
}

std::string storable_text(std::string_view text) {
  std::string storable;
  storable.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = text[0] == '\0' ? 0 : utf8_sequence_length(text);
    if (length == 0) {
      storable += "\xEF\xBF\xBD";
    } else {
      storable += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return storable;
}

}  // namespace tallyman
