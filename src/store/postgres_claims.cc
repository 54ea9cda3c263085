// Turns and leases of PostgresJobStore.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "store/postgres_job_rows.h"
#include "store/postgres_job_store.h"
#include "store/postgres_lease_rows.h"
#include "store/postgres_owner_rows.h"

namespace tallyman {
namespace {

using db::PostgresConnection;

constexpr std::string_view kSystem = "system";
// Of an owner's jobs that might start side by side so many are looked at: others may take
// the first ones meanwhile.
constexpr int kFollowersMax = 16;

// Those that may be claimed.
std::vector<SliceNumber> claimable(const std::vector<SliceState>& slices) {
  std::vector<SliceNumber> free;
  bool all_finished = true;
  bool any_alive = false;
  for (const SliceState& slice : slices) {
    // Of a job in one slice there is always its end to be told, if nothing else.
    const bool is_finished = slice.is_finished && slices.size() > 1;
    all_finished &= is_finished;
    any_alive |= slice.is_alive;
    if (!slice.is_alive && !is_finished) free.push_back(slice.slice);
  }
  // All is written, but whoever wrote the last of it died before saying so.
  if (all_finished && !any_alive && !slices.empty()) free.push_back(slices.front().slice);
  return free;
}

std::uint32_t most_of(const Job& job, std::uint32_t lanes) {
  return job.plan ? slices_of_a_lane(*job.plan, lanes) : 1;
}

}  // namespace

Claim PostgresJobStore::new_claim(const Job& job) {
  return {.job = job.number,
          .slices = {},
          .epoch = job.epoch,
          .token = LeaseToken(static_cast<std::int64_t>(random_.number() >> 1))};
}

// Jobs whose turn it is, and that are new or have a lease that is nobody's; those of the
// owner who is next first. After a head that is parallel come all that are, up to the
// first that is not.
Result<std::vector<PostgresJobStore::Head>> PostgresJobStore::find_heads(
    PostgresConnection& connection) {
  const std::string now = options_.lease_clock();
  TALLY_TRY_ASSIGN(
      const auto rows,
      connection.exec(
          "SELECT j.number, j.state FROM tallyman.table t CROSS JOIN LATERAL "
          "(SELECT number, state, owner, submitted_at, submission, parallel "
          "FROM tallyman.job WHERE table_name = t.name AND state IN (1, 2) "
          "ORDER BY submission LIMIT 1) head CROSS JOIN LATERAL "
          "(SELECT head.number, head.state, head.owner, head.submitted_at UNION ALL "
          "SELECT number, state, owner, submitted_at FROM (SELECT number, state, owner, "
          "submitted_at, row_number() OVER (PARTITION BY owner, state ORDER BY "
          "submission) AS place FROM tallyman.job WHERE head.parallel AND parallel "
          "AND table_name = t.name AND state IN (1, 2) AND submission > head.submission "
          "AND submission < coalesce((SELECT min(submission) FROM tallyman.job WHERE "
          "table_name = t.name AND state IN (1, 2) AND NOT parallel), "
          "9223372036854775807)) follower WHERE state = 2 OR place <= " +
          std::to_string(kFollowersMax) +
          ") j LEFT JOIN tallyman.share s ON s.owner = j.owner "
          "WHERE j.state = 1 OR EXISTS (SELECT 1 FROM tallyman.lease f "
          "WHERE f.job = j.number AND (f.expires_at IS NULL OR f.expires_at <= " +
          now +
          ")) ORDER BY greatest(s.ends, (SELECT max(begins) FROM tallyman.share), 0), "
          "j.submitted_at, j.number"));
  std::vector<Head> heads;
  for (int row = 0; row < rows.rows(); ++row) {
    heads.push_back(
        {.job = JobNumber(rows.integer(row, 0)), .is_new = rows.integer(row, 1) == 1});
  }
  return heads;
}

Result<std::optional<Claim>> PostgresJobStore::claim(
    std::string_view worker, const MakeWindowPlan& make_plan, std::uint32_t lanes,
    std::chrono::milliseconds lease_time) {
  CHECK(!worker.empty() && lanes > 0);
  const Claimer claimer{.worker = worker, .lanes = lanes, .lease_time = lease_time};
  TALLY_TRY_ASSIGN(const auto heads,
                   postgres_read(database_, [&](PostgresConnection& connection) {
                     return find_heads(connection);
                   }));
  for (const Head& head : heads) {
    auto claimed = head.is_new ? start_job(claimer, head.job, make_plan)
                               : join_job(claimer, head.job, JobState::kInProgress);
    // Removed meanwhile.
    if (!claimed.ok() && claimed.error().code == ErrorCode::kNotFound) continue;
    TALLY_TRY(claimed);
    if (!claimed.value()) continue;
    announce();
    return claimed;
  }
  TALLY_TRY(ask_to_share(lanes));
  return std::optional<Claim>();
}

// One at a time of a job's holders is asked, whoever has most. The mark is on one row: so
// it waits for no other.
Result<void> PostgresJobStore::ask_to_share(std::uint32_t lanes) {
  if (lanes == 1) return {};
  using Lease = std::optional<std::pair<std::int64_t, std::int64_t>>;
  TALLY_TRY_ASSIGN(
      const Lease lease,
      postgres_read(database_, [&](PostgresConnection& connection) -> Result<Lease> {
        TALLY_TRY_ASSIGN(
            const auto most,
            connection.execute(
                "WITH holder AS (SELECT job, min(slice) AS slice, count(*) AS slices, "
                "bool_or(wanted) AS asked FROM tallyman.lease WHERE expires_at > " +
                    options_.lease_clock() +
                    " GROUP BY job, token) SELECT h.job, h.slice FROM holder h "
                    "JOIN tallyman.job j ON j.number = h.job AND j.state = 2 "
                    "WHERE h.slices > 1 AND (SELECT count(*) < $1 AND "
                    "NOT bool_or(o.asked AND o.slices > 1) FROM holder o "
                    "WHERE o.job = h.job) ORDER BY h.slices DESC, h.job LIMIT 1",
                lanes));
        if (most.rows() == 0) return Lease();
        return Lease({most.integer(0, 0), most.integer(0, 1)});
      }));
  if (!lease) return {};
  return postgres_write(database_, [&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY(
        connection.execute("UPDATE tallyman.lease SET wanted = true WHERE job = $1 "
                           "AND slice = $2 AND token IS NOT NULL",
                           lease->first, lease->second));
    return {};
  });
}

Result<std::optional<Claim>> PostgresJobStore::start_job(
    const Claimer& claimer, JobNumber number, const MakeWindowPlan& make_plan) {
  using Found = Result<std::optional<Claim>>;
  // Asked outside the transaction: the answer may need the database, too.
  TALLY_TRY_ASSIGN(const Job waiting, find(number));
  if (waiting.state != JobState::kUploadComplete) return std::optional<Claim>();
  const WindowPlan plan = make_plan(waiting);
  CHECK(plan.slices > 0 && plan.window_records > 0);
  return postgres_write(database_, [&](PostgresConnection& connection) -> Found {
    TALLY_TRY_ASSIGN(const auto locked,
                     connection.execute("SELECT 1 FROM tallyman.job WHERE number = $1 "
                                        "AND state = 1 FOR NO KEY UPDATE SKIP LOCKED",
                                        number.value()));
    if (locked.rows() == 0) return std::optional<Claim>();
    TALLY_TRY_ASSIGN(const Job job, find_job(connection, number));
    TALLY_TRY_ASSIGN(
        Job changed,
        changed_job(job, {.id = job.id, .event = JobEvent::kClaimed}, clock_.now()));
    changed.plan = plan;
    TALLY_TRY(update_job(connection, job, changed));
    TALLY_TRY(insert_leases(connection, number, plan.slices));
    Claim claim = new_claim(changed);
    claim.first = true;
    for (std::uint32_t slice = 0; slice < most_of(changed, claimer.lanes); ++slice) {
      claim.slices.emplace_back(slice);
    }
    TALLY_TRY(take_leases(connection, options_.lease_clock(), claim, claimer.worker,
                          claimer.lease_time));
    TALLY_TRY(take_share(connection, job, options_.weights.cost_of(job)));
    TALLY_TRY(append_history(connection, number, changed.updated_at,
                             {.event = name(JobEvent::kClaimed),
                              .from = job.state,
                              .to = changed.state,
                              .by = kSystem,
                              .detail = "by worker " + std::string(claimer.worker)}));
    TALLY_TRY(postgres_notify(connection));
    return std::optional(std::move(claim));
  });
}

Result<std::optional<Claim>> PostgresJobStore::join_job(const Claimer& claimer,
                                                        JobNumber number,
                                                        JobState state) {
  using Found = Result<std::optional<Claim>>;
  return postgres_write(database_, [&](PostgresConnection& connection) -> Found {
    TALLY_TRY_ASSIGN(const Job job, find_job(connection, number));
    if (job.state != state) return std::optional<Claim>();
    return take_free(connection, claimer, job);
  });
}

Result<std::optional<Claim>> PostgresJobStore::take_free(PostgresConnection& connection,
                                                         const Claimer& claimer,
                                                         const Job& job) {
  const std::string now = options_.lease_clock();
  const auto read_claimable = [&]() -> Result<std::vector<SliceNumber>> {
    TALLY_TRY_ASSIGN(const auto slices, read_slices(connection, now, job.number,
                                                    job.total_items.value_or(0)));
    return claimable(slices);
  };
  TALLY_TRY_ASSIGN(const auto likely, read_claimable());
  if (likely.empty()) return std::optional<Claim>();
  TALLY_TRY_ASSIGN(
      const auto locked,
      lock_free_leases(connection, now, job.number, likely, most_of(job, claimer.lanes)));
  // Whoever had them may have finished and released them since we looked.
  TALLY_TRY_ASSIGN(const auto still, read_claimable());
  Claim claim = new_claim(job);
  std::vector<LockedLease> reclaimed;
  for (const LockedLease& lease : locked) {
    if (std::ranges::find(still, lease.slice) == still.end()) continue;
    claim.slices.push_back(lease.slice);
    if (lease.dead) reclaimed.push_back(lease);
  }
  if (claim.slices.empty()) return std::optional<Claim>();
  claim.reclaimed = !reclaimed.empty();
  TALLY_TRY(take_leases(connection, now, claim, claimer.worker, claimer.lease_time));
  std::optional<LeaseToken> ended;
  for (const LockedLease& lease : reclaimed) {
    if (lease.dead != ended) TALLY_TRY(end_sessions(connection, *lease.dead));
    ended = lease.dead;
    TALLY_TRY(append_history(connection, job.number, clock_.now(),
                             {.event = "slice_reclaimed",
                              .by = kSystem,
                              .detail = "slice " + std::to_string(lease.slice.value()) +
                                        " of worker " + lease.worker}));
  }
  TALLY_TRY(postgres_notify(connection));
  return std::optional(std::move(claim));
}

Result<std::optional<Claim>> PostgresJobStore::claim_retry(
    std::string_view worker, std::chrono::milliseconds lease_time) {
  CHECK(!worker.empty());
  const Claimer claimer{.worker = worker, .lease_time = lease_time};
  using Jobs = Result<std::vector<JobNumber>>;
  TALLY_TRY_ASSIGN(
      const auto retries,
      postgres_read(database_, [&](PostgresConnection& connection) -> Jobs {
        TALLY_TRY_ASSIGN(
            const auto rows,
            connection.exec("SELECT j.number FROM tallyman.job j JOIN tallyman.lease l "
                            "ON l.job = j.number WHERE j.state = 0 AND (l.expires_at IS "
                            "NULL OR l.expires_at <= " +
                            options_.lease_clock() +
                            ") ORDER BY j.created_at, j.number"));
        std::vector<JobNumber> jobs;
        for (int row = 0; row < rows.rows(); ++row) {
          jobs.emplace_back(rows.integer(row, 0));
        }
        return jobs;
      }));
  for (const JobNumber retry : retries) {
    TALLY_TRY_ASSIGN(auto claimed, join_job(claimer, retry, JobState::kOpen));
    if (claimed) return claimed;
  }
  return std::optional<Claim>();
}

Result<void> PostgresJobStore::renew(const Claim& claim,
                                     std::chrono::milliseconds lease_time) {
  return postgres_write(database_, [&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(
        const auto renewed,
        connection.execute(
            "UPDATE tallyman.lease SET expires_at = " + options_.lease_clock() +
                " + $3::bigint * interval '1 millisecond' "
                "WHERE job = $1 AND token = $2",
            claim.job.value(), claim.token.value(), lease_time.count()));
    if (static_cast<std::size_t>(renewed.affected()) == claim.slices.size()) return {};
    return claim_is_lost(claim.job);
  });
}

Result<void> PostgresJobStore::release(const Claim& claim) {
  return write([&](PostgresConnection& connection) -> Result<void> {
    return free_leases(connection, claim);
  });
}

Result<Claim> PostgresJobStore::share(const Claim& claim) {
  bool is_asked = false;
  Claim held = claim;
  TALLY_TRY(postgres_read(database_, [&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(
        const auto rows,
        connection.execute("SELECT slice, wanted FROM tallyman.lease WHERE job = $1 AND "
                           "token = $2 ORDER BY slice",
                           claim.job.value(), claim.token.value()));
    held.slices.clear();
    for (int row = 0; row < rows.rows(); ++row) {
      held.slices.emplace_back(rows.integer(row, 0));
      is_asked |= rows.boolean(row, 1);
    }
    return {};
  }));
  if (held.slices.empty()) return claim_is_lost(claim.job);
  if (!is_asked || held.slices.size() == 1) return held;
  const auto kept = static_cast<std::ptrdiff_t>((held.slices.size() + 1) / 2);
  held.slices.erase(held.slices.begin() + kept, held.slices.end());
  TALLY_TRY(write([&](PostgresConnection& connection) -> Result<void> {
    TALLY_TRY(free_leases(connection, claim, held.slices.back()));
    TALLY_TRY(
        connection.execute("UPDATE tallyman.lease SET wanted = false WHERE job = $1 "
                           "AND token = $2 AND wanted",
                           claim.job.value(), claim.token.value()));
    return {};
  }));
  return held;
}

// Two that leave at once wait for each other at the job's row: the later one is the last.
Result<bool> PostgresJobStore::leave(const Claim& claim) {
  return write([&](PostgresConnection& connection) -> Result<bool> {
    TALLY_TRY(connection.execute(
        "SELECT 1 FROM tallyman.job WHERE number = $1 FOR NO KEY UPDATE",
        claim.job.value()));
    TALLY_TRY_ASSIGN(
        const auto others,
        connection.execute("SELECT EXISTS (SELECT 1 FROM tallyman.lease WHERE job = $1 "
                           "AND token <> $2 AND expires_at > " +
                               options_.lease_clock() + ")",
                           claim.job.value(), claim.token.value()));
    if (!others.boolean(0, 0)) return false;
    TALLY_TRY(free_leases(connection, claim));
    return true;
  });
}

Result<void> PostgresJobStore::release_all() { return {}; }

bool PostgresJobStore::end_is_requested(JobNumber) const { return false; }

}  // namespace tallyman
