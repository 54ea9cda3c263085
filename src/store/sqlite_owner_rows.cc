#include "store/sqlite_owner_rows.h"

#include "base/check.h"
#include "store/job_store.h"

namespace tallyman {

using db::SqliteConnection;

Result<void> take_share(SqliteConnection& connection, const Job& job, std::int64_t cost) {
  TALLY_TRY_ASSIGN(
      auto take,
      connection.prepare(
          "INSERT INTO tallyman_share (owner, begins, ends) SELECT ?1, clock.at, "
          "clock.at + ?2 FROM (SELECT coalesce(max(begins), 0) AS at FROM "
          "tallyman_share) AS clock WHERE true ON CONFLICT (owner) DO UPDATE SET "
          "begins = max(ends, excluded.begins), ends = max(ends, excluded.begins) + ?2"));
  take.bind_all(job.owner, cost);
  return take.run();
}

Result<void> give_share_back(SqliteConnection& connection, const Job& job,
                             std::int64_t rest) {
  if (rest == 0) return {};
  TALLY_TRY_ASSIGN(auto give,
                   connection.prepare("UPDATE tallyman_share SET ends = "
                                      "max(begins + 1, ends - ?2) WHERE owner = ?1"));
  give.bind_all(job.owner, rest);
  return give.run();
}

Result<bool> has_fewer_open_jobs(SqliteConnection& connection, std::string_view owner,
                                 std::uint64_t open_jobs_max) {
  TALLY_TRY_ASSIGN(auto select,
                   connection.prepare("SELECT count(*) FROM (SELECT 1 FROM tallyman_job "
                                      "WHERE owner = ?1 AND state < 3 LIMIT ?2)"));
  select.bind_all(owner, open_jobs_max);
  TALLY_TRY_ASSIGN(const bool has_row, select.step());
  CHECK(has_row);
  return static_cast<std::uint64_t>(select.integer(0)) < open_jobs_max;
}

Result<std::vector<JobId>> read_open_jobs(SqliteConnection& connection,
                                          std::string_view owner) {
  // "state < 3" is what leads to the index.
  TALLY_TRY_ASSIGN(auto select,
                   connection.prepare("SELECT id FROM tallyman_job WHERE owner = ?1 "
                                      "AND state < 3 AND state = 0 ORDER BY number"));
  select.bind_all(owner);
  std::vector<JobId> jobs;
  while (true) {
    TALLY_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) return jobs;
    if (const auto id = Uuid::parse(select.text(0))) jobs.push_back(JobId(*id));
  }
}

Result<std::uint64_t> read_stored_bytes(SqliteConnection& connection,
                                        std::string_view owner) {
  TALLY_TRY_ASSIGN(
      auto select,
      connection.prepare("SELECT stored_bytes FROM tallyman_owner WHERE name = ?1"));
  select.bind_all(owner);
  TALLY_TRY_ASSIGN(const bool has_row, select.step());
  return has_row ? static_cast<std::uint64_t>(select.integer(0)) : std::uint64_t{0};
}

Result<void> store_bytes(SqliteConnection& connection, const Job& job,
                         std::optional<std::uint64_t> stored_bytes_max) {
  if (stored_bytes_max) {
    TALLY_TRY_ASSIGN(const std::uint64_t stored,
                     read_stored_bytes(connection, job.owner));
    if (stored + job.upload_bytes > *stored_bytes_max) {
      return stored_bytes_exceeded(job.owner, stored, *stored_bytes_max);
    }
  }
  TALLY_TRY_ASSIGN(auto add,
                   connection.prepare("INSERT INTO tallyman_owner VALUES (?1, ?2) "
                                      "ON CONFLICT (name) DO UPDATE SET "
                                      "stored_bytes = stored_bytes + ?2"));
  add.bind_all(job.owner, job.upload_bytes);
  return add.run();
}

Result<void> unstore_bytes(SqliteConnection& connection, const Job& job) {
  if (!job.submission || job.results_expired) return {};
  // A program of version 1 may have completed jobs after a newer one made the table: what
  // it did not add must not keep a job from being removed.
  TALLY_TRY_ASSIGN(auto subtract,
                   connection.prepare("UPDATE tallyman_owner SET stored_bytes = "
                                      "max(0, stored_bytes - ?2) WHERE name = ?1"));
  subtract.bind_all(job.owner, job.upload_bytes);
  return subtract.run();
}

}  // namespace tallyman
