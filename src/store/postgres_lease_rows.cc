#include "store/postgres_lease_rows.h"

namespace tallyman {
namespace {

using db::PostgresConnection;

std::vector<std::int64_t> numbers_of(const std::vector<SliceNumber>& slices) {
  std::vector<std::int64_t> numbers;
  for (const SliceNumber slice : slices) numbers.push_back(slice.value());
  return numbers;
}

}  // namespace

Result<JobState> check_claim(PostgresConnection& connection, const Claim& claim,
                             ClaimLock lock) {
  const std::string sql =
      "SELECT state, (SELECT count(*) FROM tallyman.lease l WHERE l.job = j.number "
      "AND l.token = $2) FROM tallyman.job j WHERE number = $1 AND epoch = $3";
  TALLY_TRY_ASSIGN(
      const auto found,
      connection.execute(lock == ClaimLock::kShare ? sql + " FOR SHARE" : sql,
                         claim.job.value(), claim.token.value(), claim.epoch.value()));
  if (found.rows() == 1 &&
      static_cast<std::size_t>(found.integer(0, 1)) == claim.slices.size()) {
    return static_cast<JobState>(found.integer(0, 0));
  }
  return claim_is_lost(claim.job);
}

Result<void> check_may_write(PostgresConnection& connection, const Claim& claim,
                             ClaimLock lock) {
  TALLY_TRY_ASSIGN(const JobState state, check_claim(connection, claim, lock));
  if (state == JobState::kInProgress) return {};
  return Error{ErrorCode::kLost, "job number " + std::to_string(claim.job.value()) +
                                     " is " + std::string(name(state)) +
                                     ": nothing more may be written for it"};
}

std::string postgres_session_name(LeaseToken token) {
  return "tallyman " + std::to_string(token.value());
}

Result<void> end_sessions(PostgresConnection& connection, LeaseToken token) {
  TALLY_TRY(connection.execute(
      "SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE "
      "application_name = $1 AND datname = current_database() AND usename = session_user "
      "AND pid <> pg_backend_pid()",
      postgres_session_name(token)));
  return {};
}

Result<std::vector<SliceState>> read_slices(PostgresConnection& connection,
                                            const std::string& now, JobNumber job,
                                            std::uint64_t total_items) {
  TALLY_TRY_ASSIGN(
      const auto rows,
      connection.execute(
          "SELECT l.slice, coalesce(l.expires_at > " + now +
              ", false), coalesce(u.records >= $2, false) FROM tallyman.lease l "
              "LEFT JOIN (SELECT slice, sum(window_records) AS records FROM "
              "tallyman.unit WHERE job = $1 GROUP BY slice) u ON u.slice = l.slice "
              "WHERE l.job = $1 ORDER BY l.slice",
          job.value(), total_items));
  std::vector<SliceState> slices;
  for (int row = 0; row < rows.rows(); ++row) {
    slices.push_back({.slice = SliceNumber(rows.integer(row, 0)),
                      .is_alive = rows.boolean(row, 1),
                      .is_finished = rows.boolean(row, 2)});
  }
  return slices;
}

Result<std::vector<LockedLease>> lock_free_leases(PostgresConnection& connection,
                                                  const std::string& now, JobNumber job,
                                                  const std::vector<SliceNumber>& slices,
                                                  std::uint32_t most) {
  db::PostgresParams params;
  params.add(job.value());
  params.add_integers(numbers_of(slices));
  params.add(most);
  TALLY_TRY_ASSIGN(
      const auto rows,
      connection.execute_params(
          "SELECT slice, token, worker FROM tallyman.lease WHERE job = $1 AND "
          "slice = ANY ($2) AND (expires_at IS NULL OR expires_at <= " +
              now + ") ORDER BY slice LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED",
          params));
  std::vector<LockedLease> leases;
  for (int row = 0; row < rows.rows(); ++row) {
    LockedLease lease{.slice = SliceNumber(rows.integer(row, 0)),
                      .worker = std::string(rows.text(row, 2))};
    if (const auto token = rows.optional_integer(row, 1)) lease.dead = LeaseToken(*token);
    leases.push_back(std::move(lease));
  }
  return leases;
}

Result<void> insert_leases(PostgresConnection& connection, JobNumber job,
                           std::uint32_t count) {
  TALLY_TRY(
      connection.execute("INSERT INTO tallyman.lease (job, slice) "
                         "SELECT $1, slice FROM generate_series(0, $2 - 1) slice",
                         job.value(), count));
  return {};
}

Result<void> take_leases(PostgresConnection& connection, const std::string& now,
                         const Claim& claim, std::string_view worker,
                         std::chrono::milliseconds lease_time) {
  db::PostgresParams params;
  params.add(claim.job.value());
  params.add_integers(numbers_of(claim.slices));
  params.add(claim.token.value());
  params.add(worker);
  params.add(lease_time.count());
  TALLY_TRY(connection.execute_params(
      "UPDATE tallyman.lease SET token = $3, worker = $4, wanted = false, expires_at = " +
          now +
          " + $5::bigint * interval '1 millisecond' WHERE job = $1 AND slice = ANY ($2)",
      params));
  return {};
}

Result<void> free_leases(PostgresConnection& connection, const Claim& claim,
                         SliceNumber after) {
  TALLY_TRY(connection.execute(
      "UPDATE tallyman.lease SET token = NULL, worker = NULL, expires_at = NULL, "
      "wanted = false WHERE job = $1 AND token = $2 AND slice > $3",
      claim.job.value(), claim.token.value(), after.value()));
  return {};
}

}  // namespace tallyman
