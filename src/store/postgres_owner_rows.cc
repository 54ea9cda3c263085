#include "store/postgres_owner_rows.h"

#include "store/job_store.h"

namespace tallyman {
namespace {

using db::PostgresConnection;

Result<void> make_row(PostgresConnection& connection, std::string_view owner) {
  TALLY_TRY(
      connection.execute("INSERT INTO tallyman.owner (name, stored_bytes) VALUES ($1, 0) "
                         "ON CONFLICT (name) DO NOTHING",
                         owner));
  return {};
}

}  // namespace

Result<void> take_share(PostgresConnection& connection, const Job& job,
                        std::int64_t cost) {
  TALLY_TRY(connection.execute(
      "INSERT INTO tallyman.share AS s (owner, begins, ends) SELECT $1, clock.at, "
      "clock.at + $2::bigint FROM (SELECT coalesce(max(begins), 0) AS at FROM "
      "tallyman.share) AS clock ON CONFLICT (owner) DO UPDATE SET begins = "
      "greatest(s.ends, excluded.begins), ends = greatest(s.ends, excluded.begins) + "
      "$2::bigint",
      job.owner, cost));
  return {};
}

Result<void> give_share_back(PostgresConnection& connection, const Job& job,
                             std::int64_t rest) {
  if (rest == 0) return {};
  TALLY_TRY(
      connection.execute("UPDATE tallyman.share SET ends = greatest(begins + 1, "
                         "ends - $2::bigint) WHERE owner = $1",
                         job.owner, rest));
  return {};
}

Result<bool> has_fewer_open_jobs(PostgresConnection& connection, std::string_view owner,
                                 std::uint64_t open_jobs_max) {
  TALLY_TRY(make_row(connection, owner));
  TALLY_TRY(connection.execute(
      "SELECT 1 FROM tallyman.owner WHERE name = $1 FOR NO KEY UPDATE", owner));
  TALLY_TRY_ASSIGN(const auto counted,
                   connection.execute("SELECT count(*) FROM (SELECT 1 FROM tallyman.job "
                                      "WHERE owner = $1 AND state < 3 LIMIT $2) few",
                                      owner, open_jobs_max));
  return static_cast<std::uint64_t>(counted.integer(0, 0)) < open_jobs_max;
}

Result<std::vector<JobId>> read_open_jobs(PostgresConnection& connection,
                                          std::string_view owner) {
  // "state < 3" is what leads to the index.
  TALLY_TRY_ASSIGN(const auto rows,
                   connection.execute("SELECT id FROM tallyman.job WHERE owner = $1 "
                                      "AND state < 3 AND state = 0 ORDER BY number",
                                      owner));
  std::vector<JobId> jobs;
  for (int row = 0; row < rows.rows(); ++row) {
    if (const auto id = Uuid::parse(rows.text(row, 0))) jobs.push_back(JobId(*id));
  }
  return jobs;
}

Result<std::uint64_t> read_stored_bytes(PostgresConnection& connection,
                                        std::string_view owner) {
  TALLY_TRY_ASSIGN(const auto rows,
                   connection.execute(
                       "SELECT stored_bytes FROM tallyman.owner WHERE name = $1", owner));
  if (rows.rows() == 0) return std::uint64_t{0};
  return static_cast<std::uint64_t>(rows.integer(0, 0));
}

Result<void> store_bytes(PostgresConnection& connection, const Job& job,
                         std::optional<std::uint64_t> stored_bytes_max) {
  TALLY_TRY(make_row(connection, job.owner));
  TALLY_TRY_ASSIGN(
      const auto added,
      connection.execute(
          "UPDATE tallyman.owner SET stored_bytes = stored_bytes + $2 WHERE name = $1 "
          "AND ($3::bigint IS NULL OR stored_bytes + $2 <= $3)",
          job.owner, job.upload_bytes, stored_bytes_max));
  if (added.affected() == 1) return {};
  TALLY_TRY_ASSIGN(const std::uint64_t stored, read_stored_bytes(connection, job.owner));
  return stored_bytes_exceeded(job.owner, stored, stored_bytes_max.value_or(0));
}

Result<void> unstore_bytes(PostgresConnection& connection, const Job& job) {
  if (!job.submission || job.results_expired) return {};
  TALLY_TRY(
      connection.execute("UPDATE tallyman.owner SET stored_bytes = "
                         "greatest(0, stored_bytes - $2) WHERE name = $1",
                         job.owner, job.upload_bytes));
  return {};
}

}  // namespace tallyman
