#include "store/sqlite_job_rows.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "store/ledger_codec.h"

namespace tallyman {
namespace {

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

// Reads the columns of kJobColumns in their order.
class JobReader {
 public:
  explicit JobReader(const db::SqliteStatement& row) : row_(row) {}

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
    TALLY_TRY_ASSIGN(job.columns, decode_texts(row_.blob(place_++)));
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
    job.verified = integer() != 0;
    job.results_expired = integer() != 0;
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
    job.parallel = integer() != 0;
    return job;
  }

 private:
  void read_plan(Job& job) {
    const auto records = optional();
    const auto bytes = optional();
    const auto slices = optional();
    if (!records || !bytes || !slices) return;
    job.plan = WindowPlan{.window_records = static_cast<std::uint64_t>(*records),
                          .window_bytes = static_cast<std::uint64_t>(*bytes),
                          .slices = static_cast<std::uint32_t>(*slices)};
  }
  std::int64_t integer() { return row_.integer(place_++); }
  std::uint64_t number_of() { return static_cast<std::uint64_t>(integer()); }
  std::string_view text() { return row_.text(place_++); }
  std::optional<std::int64_t> optional() { return row_.optional_integer(place_++); }
  std::optional<Timestamp> time() {
    const auto micros = optional();
    if (!micros) return std::nullopt;
    return from_micros(*micros);
  }

  const db::SqliteStatement& row_;
  int place_ = 0;
};

template <class Key>
Result<std::optional<Job>> find_by(db::SqliteConnection& connection,
                                   std::string_view where, const Key& key) {
  TALLY_TRY_ASSIGN(auto select,
                   connection.prepare("SELECT " + std::string(kJobColumns) +
                                      " FROM tallyman_job WHERE " + std::string(where)));
  select.bind_all(key);
  TALLY_TRY_ASSIGN(auto jobs, read_jobs(select));
  if (jobs.empty()) return std::optional<Job>();
  return std::optional(std::move(jobs.front()));
}

}  // namespace

const std::string_view kJobColumns =
    "number, id, resource, table_name, operation, state, owner, created_by, options, "
    "created_at, updated_at, started_at, completed_at, epoch, submission, "
    "window_records, "
    "window_bytes, slices, columns, upload_bytes, total_items, checked_items, created, "
    "updated, unchanged, deleted, failed, message, verified, results_expired, retries, "
    "lanes_reason, parent, superseded, idempotency_key, fingerprint, acting, parallel";

Result<std::vector<Job>> read_jobs(db::SqliteStatement& select) {
  std::vector<Job> jobs;
  while (true) {
    TALLY_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) break;
    TALLY_TRY_ASSIGN(auto job, JobReader(select).read());
    jobs.push_back(std::move(job));
  }
  for (Job& job : jobs) {
    if (job.state != JobState::kInProgress) continue;
    TALLY_TRY_ASSIGN(job.counts, sum_units(select.connection(), job.number));
  }
  return jobs;
}

Result<Job> find_job(db::SqliteConnection& connection, const JobId& id) {
  const std::string text = id.to_string();
  TALLY_TRY_ASSIGN(auto job, find_by(connection, "id = ?1", text));
  if (!job) return no_such_job(text);
  return *std::move(job);
}

Result<Job> find_job(db::SqliteConnection& connection, JobNumber number) {
  TALLY_TRY_ASSIGN(auto job, find_by(connection, "number = ?1", number.value()));
  if (!job) return no_such_job("number " + std::to_string(number.value()));
  return *std::move(job);
}

Result<Job> insert_job(db::SqliteConnection& connection, const NewJob& job,
                       Timestamp now) {
  TALLY_TRY_ASSIGN(
      auto insert,
      connection.prepare(
          "INSERT INTO tallyman_job (id, resource, table_name, operation, state, owner, "
          "created_by, options, dry_run, created_at, updated_at, epoch, columns, "
          "upload_bytes, checked_items, created, updated, unchanged, deleted, failed, "
          "message, verified, results_expired, retries, lanes_reason, parent, "
          "superseded, "
          "idempotency_key, fingerprint, acting, parallel) VALUES (?1, ?2, ?3, ?4, 0, "
          "?5, "
          "?6, ?7, ?8, ?9, ?9, 0, ?10, 0, 0, 0, 0, 0, 0, 0, '', 0, 0, 0, '', ?11, ?12, "
          "?13, '', ?14, ?15)"));
  std::optional<std::string> parent;
  if (job.parent) parent = job.parent->to_string();
  insert.bind_all(job.id.to_string(), job.resource, job.table, job.operation, job.owner,
                  job.created_by, to_json(job.options), job.options.dry_run,
                  to_micros(now), encode_texts({}), parent, job.superseded,
                  job.idempotency_key, to_json(job.acting), job.parallel);
  TALLY_TRY(insert.run());
  const JobNumber number(connection.last_insert_rowid());
  TALLY_TRY(append_history(
      connection, number, now,
      {.event = "created",
       .to = JobState::kOpen,
       .by = job.created_by,
       .detail = job.acting.role.empty() ? "" : "as role " + job.acting.role}));
  return find_job(connection, number);
}

Result<void> update_job(db::SqliteConnection& connection, const Job& before,
                        const Job& after) {
  TALLY_TRY_ASSIGN(
      auto update,
      connection.prepare(
          "UPDATE tallyman_job SET operation = ?4, state = ?5, options = ?6, dry_run = "
          "?7, "
          "updated_at = ?8, started_at = ?9, completed_at = ?10, epoch = ?11, "
          "submission = ?12, submitted_at = coalesce(submitted_at, ?13), "
          "window_records = ?14, window_bytes = ?15, slices = ?16, columns = ?17, "
          "upload_bytes = ?18, total_items = ?19, created = ?20, updated = ?21, "
          "unchanged = ?22, deleted = ?23, failed = ?24, message = ?25, verified = ?26, "
          "superseded = ?27, fingerprint = ?28 "
          "WHERE number = ?1 AND state = ?2 AND epoch = ?3"));
  std::optional<std::uint64_t> window_records;
  std::optional<std::uint64_t> window_bytes;
  std::optional<std::uint32_t> slices;
  if (after.plan) {
    window_records = after.plan->window_records;
    window_bytes = after.plan->window_bytes;
    slices = after.plan->slices;
  }
  std::optional<std::int64_t> submitted_at;
  if (after.submission) submitted_at = to_micros(after.updated_at);
  update.bind_all(before.number.value(), before.state, before.epoch.value(),
                  after.operation, after.state, to_json(after.options),
                  after.options.dry_run, to_micros(after.updated_at),
                  optional_micros(after.started_at), optional_micros(after.completed_at),
                  after.epoch.value(), after.submission, submitted_at, window_records,
                  window_bytes, slices, encode_texts(after.columns), after.upload_bytes,
                  after.total_items, after.counts.created, after.counts.updated,
                  after.counts.unchanged, after.counts.deleted, after.counts.failed,
                  after.message, after.verified, after.superseded, after.fingerprint);
  TALLY_TRY(update.run());
  CHECK(connection.changes() == 1);
  return {};
}

Result<void> append_history(db::SqliteConnection& connection, JobNumber job,
                            Timestamp now, const NewHistoryEntry& entry) {
  TALLY_TRY_ASSIGN(
      auto insert,
      connection.prepare(
          "INSERT INTO tallyman_job_event (job, sequence, at, event, from_state, "
          "to_state, actor, detail) SELECT ?1, coalesce(max(sequence), 0) + 1, "
          "max(coalesce(max(at), ?2), ?2), ?3, ?4, ?5, ?6, ?7 "
          "FROM tallyman_job_event WHERE job = ?1"));
  insert.bind_all(job.value(), to_micros(now), entry.event, entry.from, entry.to,
                  entry.by, entry.detail);
  return insert.run();
}

Result<OutcomeCounts> sum_units(db::SqliteConnection& connection, JobNumber job) {
  TALLY_TRY_ASSIGN(
      auto select,
      connection.prepare("SELECT coalesce(sum(created), 0), coalesce(sum(updated), 0), "
                         "coalesce(sum(unchanged), 0), coalesce(sum(deleted), 0), "
                         "coalesce(sum(failed), 0) FROM tallyman_unit WHERE job = ?1"));
  select.bind_all(job.value());
  TALLY_TRY_ASSIGN(const bool has_row, select.step());
  CHECK(has_row);
  const auto number = [&](int place) {
    return static_cast<std::uint64_t>(select.integer(place));
  };
  return OutcomeCounts{.created = number(0),
                       .updated = number(1),
                       .unchanged = number(2),
                       .deleted = number(3),
                       .failed = number(4)};
}

Result<JobState> check_claim(db::SqliteConnection& connection, const Claim& claim) {
  TALLY_TRY_ASSIGN(
      auto select,
      connection.prepare("SELECT j.state, count(*) FROM tallyman_lease l "
                         "JOIN tallyman_job j ON j.number = l.job "
                         "WHERE l.job = ?1 AND l.token = ?2 AND j.epoch = ?3"));
  select.bind_all(claim.job.value(), claim.token.value(), claim.epoch.value());
  TALLY_TRY(select.step());
  if (static_cast<std::size_t>(select.integer(1)) == claim.slices.size()) {
    return static_cast<JobState>(select.integer(0));
  }
  return claim_is_lost(claim.job);
}

}  // namespace tallyman
