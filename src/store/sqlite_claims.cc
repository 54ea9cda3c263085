// Turns and leases of SqliteJobStore.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/check.h"
#include "store/sqlite_job_rows.h"
#include "store/sqlite_job_store.h"
#include "store/sqlite_owner_rows.h"

namespace tallyman {
namespace {

using db::SqliteConnection;

constexpr std::string_view kSystem = "system";

// Slices whose committed windows cover the whole upload.
Result<std::set<std::int64_t>> finished_slices(SqliteConnection& connection,
                                               const Job& job) {
  TALLY_TRY_ASSIGN(auto select,
                   connection.prepare("SELECT slice FROM tallyman_unit WHERE job = ?1 "
                                      "GROUP BY slice HAVING sum(window_records) >= ?2"));
  select.bind_all(job.number.value(), job.total_items);
  std::set<std::int64_t> slices;
  while (true) {
    TALLY_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) return slices;
    slices.insert(select.integer(0));
  }
}

// Jobs whose turn it is, those of the owner who is next first. After a head that is
// parallel come all that are, up to the first that is not.
Result<std::vector<JobNumber>> jobs_in_turn(SqliteConnection& connection) {
  TALLY_TRY_ASSIGN(
      auto select,
      connection.prepare(
          "WITH head AS (SELECT j.* FROM tallyman_table t JOIN tallyman_job j ON "
          "j.number = (SELECT number FROM tallyman_job WHERE table_name = t.name AND "
          "state IN (1, 2) ORDER BY submission LIMIT 1)), "
          "turn AS (SELECT number, owner, submitted_at FROM head UNION ALL "
          "SELECT j.number, j.owner, j.submitted_at FROM head h JOIN tallyman_job j ON "
          "j.table_name = h.table_name AND j.state IN (1, 2) AND j.submission > "
          "h.submission WHERE h.parallel AND j.parallel AND NOT EXISTS (SELECT 1 FROM "
          "tallyman_job b WHERE b.table_name = h.table_name AND b.state IN (1, 2) AND "
          "NOT b.parallel AND b.submission < j.submission)) "
          "SELECT turn.number FROM turn LEFT JOIN tallyman_share s ON s.owner = "
          "turn.owner ORDER BY max(coalesce(s.ends, 0), (SELECT coalesce(max(begins), 0) "
          "FROM tallyman_share)), turn.submitted_at, turn.number"));
  std::vector<JobNumber> numbers;
  while (true) {
    TALLY_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) return numbers;
    numbers.emplace_back(select.integer(0));
  }
}

// For the history.
std::string lease_name(std::int64_t slice, std::string_view worker) {
  return "slice " + std::to_string(slice) + " of worker " + std::string(worker);
}

struct Lease {
  std::int64_t token = 0;
  std::string worker;
  Timestamp expires_at;
};

Result<std::map<std::int64_t, Lease>> leases_of(SqliteConnection& connection,
                                                JobNumber job) {
  TALLY_TRY_ASSIGN(auto select,
                   connection.prepare("SELECT slice, token, worker, expires_at "
                                      "FROM tallyman_lease WHERE job = ?1"));
  select.bind_all(job.value());
  std::map<std::int64_t, Lease> leases;
  while (true) {
    TALLY_TRY_ASSIGN(const bool has_row, select.step());
    if (!has_row) return leases;
    leases[select.integer(0)] = {.token = select.integer(1),
                                 .worker = std::string(select.text(2)),
                                 .expires_at = from_micros(select.integer(3))};
  }
}

}  // namespace

bool SqliteJobStore::is_alive(std::int64_t token, Timestamp stored_expiry) {
  const std::lock_guard lock(leases_mutex_);
  const auto renewed = renewed_until_.find(token);
  const Timestamp expiry = renewed == renewed_until_.end()
                               ? stored_expiry
                               : std::max(stored_expiry, renewed->second);
  return expiry > clock_.now();
}

Result<std::optional<SqliteJobStore::Candidate>> SqliteJobStore::free_slices(
    SqliteConnection& connection, const Job& job, std::uint32_t slices,
    std::uint32_t most) {
  TALLY_TRY_ASSIGN(const auto leases, leases_of(connection, job.number));
  std::set<std::int64_t> finished;
  if (slices > 1) {
    TALLY_TRY_ASSIGN(finished, finished_slices(connection, job));
  }
  Candidate candidate{.job = job};
  const auto add = [&](std::int64_t slice) {
    candidate.slices.emplace_back(slice);
    const auto lease = leases.find(slice);
    if (lease == leases.end()) return;
    candidate.was_held = true;
    if (lease->second.worker.empty()) return;
    candidate.reclaimed.push_back(lease_name(slice, lease->second.worker));
  };
  bool any_alive = false;
  for (std::int64_t slice = 0; slice < slices; ++slice) {
    const auto lease = leases.find(slice);
    const bool alive =
        lease != leases.end() && is_alive(lease->second.token, lease->second.expires_at);
    any_alive |= alive;
    if (!alive && !finished.contains(slice) && candidate.slices.size() < most) add(slice);
  }
  // All is written, but whoever wrote the last of it died before saying so.
  if (finished.size() == slices && !any_alive) add(0);
  if (candidate.slices.empty()) return std::optional<Candidate>();
  return std::optional(std::move(candidate));
}

Result<std::optional<SqliteJobStore::Candidate>> SqliteJobStore::find_candidate(
    SqliteConnection& connection, const MakeWindowPlan& make_plan, std::uint32_t lanes) {
  TALLY_TRY_ASSIGN(const auto in_turn, jobs_in_turn(connection));
  for (const JobNumber number : in_turn) {
    TALLY_TRY_ASSIGN(const Job job, find_job(connection, number));
    const WindowPlan plan = job.plan ? *job.plan : make_plan(job);
    CHECK(plan.slices > 0 && plan.window_records > 0);
    TALLY_TRY_ASSIGN(auto candidate, free_slices(connection, job, plan.slices,
                                                 slices_of_a_lane(plan, lanes)));
    if (!candidate) continue;
    if (!job.plan) candidate->plan = plan;
    return candidate;
  }
  return std::optional<Candidate>();
}

Result<std::optional<SqliteJobStore::Candidate>> SqliteJobStore::find_retry(
    SqliteConnection& connection) {
  TALLY_TRY_ASSIGN(
      auto select,
      connection.prepare("SELECT " + std::string(kJobColumns) +
                         " FROM tallyman_job WHERE state = 0 AND parent IS NOT "
                         "NULL ORDER BY created_at, number"));
  TALLY_TRY_ASSIGN(const auto jobs, read_jobs(select));
  for (const Job& job : jobs) {
    TALLY_TRY_ASSIGN(auto candidate, free_slices(connection, job, 1, 1));
    if (candidate) return candidate;
  }
  return std::optional<Candidate>();
}

Result<Claim> SqliteJobStore::take(SqliteConnection& connection,
                                   const Candidate& candidate, std::string_view worker,
                                   std::chrono::milliseconds lease_time) {
  const Claim claim{.job = candidate.job.number,
                    .slices = candidate.slices,
                    .epoch = candidate.job.epoch,
                    .token = LeaseToken(static_cast<std::int64_t>(random_.number() >> 1)),
                    .first = candidate.job.state == JobState::kUploadComplete,
                    .reclaimed = candidate.was_held};
  const Timestamp now = clock_.now();
  TALLY_TRY_ASSIGN(
      auto insert,
      connection.prepare(
          "INSERT INTO tallyman_lease (job, slice, token, worker, expires_at) "
          "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (job, slice) DO UPDATE SET "
          "token = excluded.token, worker = excluded.worker, "
          "expires_at = excluded.expires_at"));
  for (const SliceNumber slice : claim.slices) {
    insert.bind_all(claim.job.value(), slice.value(), claim.token.value(), worker,
                    to_micros(now + lease_time));
    TALLY_TRY(insert.run());
  }
  for (const std::string& lease : candidate.reclaimed) {
    TALLY_TRY(
        append_history(connection, claim.job, now,
                       {.event = "slice_reclaimed", .by = kSystem, .detail = lease}));
  }
  return claim;
}

Result<std::optional<Claim>> SqliteJobStore::claim(std::string_view worker,
                                                   const MakeWindowPlan& make_plan,
                                                   std::uint32_t lanes,
                                                   std::chrono::milliseconds lease_time) {
  CHECK(!worker.empty() && lanes > 0);
  using Found = Result<std::optional<Claim>>;
  // Whoever looks in vain must not stand in the writer's queue.
  TALLY_TRY_ASSIGN(const auto likely,
                   read_in(database_, [&](SqliteConnection& connection) {
                     return find_candidate(connection, make_plan, lanes);
                   }));
  if (!likely) return std::optional<Claim>();

  auto claimed = write_in(database_, [&](SqliteConnection& connection) -> Found {
    TALLY_TRY_ASSIGN(const auto candidate, find_candidate(connection, make_plan, lanes));
    if (!candidate) return std::optional<Claim>();
    TALLY_TRY_ASSIGN(const Claim claim, take(connection, *candidate, worker, lease_time));
    if (!claim.first) return std::optional(claim);

    const Job& job = candidate->job;
    TALLY_TRY_ASSIGN(
        Job changed,
        changed_job(job, {.id = job.id, .event = JobEvent::kClaimed}, clock_.now()));
    changed.plan = candidate->plan;
    TALLY_TRY(update_job(connection, job, changed));
    TALLY_TRY(take_share(connection, job, weights_.cost_of(job)));
    TALLY_TRY(append_history(connection, job.number, changed.updated_at,
                             {.event = name(JobEvent::kClaimed),
                              .from = job.state,
                              .to = changed.state,
                              .by = kSystem,
                              .detail = "by worker " + std::string(worker)}));
    return std::optional(claim);
  });
  if (claimed.ok() && claimed.value()) announce();
  return claimed;
}

Result<std::optional<Claim>> SqliteJobStore::claim_retry(
    std::string_view worker, std::chrono::milliseconds lease_time) {
  CHECK(!worker.empty());
  using Found = Result<std::optional<Claim>>;
  TALLY_TRY_ASSIGN(const auto likely,
                   read_in(database_, [&](SqliteConnection& connection) {
                     return find_retry(connection);
                   }));
  if (!likely) return std::optional<Claim>();
  return write_in(database_, [&](SqliteConnection& connection) -> Found {
    TALLY_TRY_ASSIGN(const auto candidate, find_retry(connection));
    if (!candidate) return std::optional<Claim>();
    TALLY_TRY_ASSIGN(const Claim claim, take(connection, *candidate, worker, lease_time));
    return std::optional(claim);
  });
}

Result<void> SqliteJobStore::renew(const Claim& claim,
                                   std::chrono::milliseconds lease_time) {
  TALLY_TRY(read_in(database_, [&](SqliteConnection& connection) {
    return check_claim(connection, claim);
  }));
  const Timestamp now = clock_.now();
  const std::lock_guard lock(leases_mutex_);
  std::erase_if(renewed_until_, [&](const auto& lease) { return lease.second <= now; });
  renewed_until_[claim.token.value()] = now + lease_time;
  return {};
}

Result<void> SqliteJobStore::release(const Claim& claim) {
  {
    const std::lock_guard lock(leases_mutex_);
    renewed_until_.erase(claim.token.value());
  }
  return write([&](SqliteConnection& connection) -> Result<void> {
    TALLY_TRY_ASSIGN(auto remove, connection.prepare("DELETE FROM tallyman_lease WHERE "
                                                     "job = ?1 AND token = ?2"));
    remove.bind_all(claim.job.value(), claim.token.value());
    return remove.run();
  });
}

// There is one writer: a job is one slice, and nobody asks for some of it.
Result<Claim> SqliteJobStore::share(const Claim& claim) { return claim; }

Result<bool> SqliteJobStore::leave(const Claim&) { return false; }

Result<void> SqliteJobStore::release_all() {
  return write([&](SqliteConnection& connection) -> Result<void> {
    struct Held {
      JobNumber job;
      std::string detail;
    };
    std::vector<Held> held;
    {
      TALLY_TRY_ASSIGN(auto select,
                       connection.prepare("SELECT job, slice, worker FROM "
                                          "tallyman_lease WHERE worker <> '' "
                                          "ORDER BY job, slice"));
      while (true) {
        TALLY_TRY_ASSIGN(const bool has_row, select.step());
        if (!has_row) break;
        held.push_back({JobNumber(select.integer(0)),
                        lease_name(select.integer(1), select.text(2))});
      }
    }
    for (const Held& lease : held) {
      TALLY_TRY(append_history(
          connection, lease.job, clock_.now(),
          {.event = "slice_reclaimed", .by = kSystem, .detail = lease.detail}));
    }
    // The rows stay, without a worker: the next claim still learns that it takes over.
    TALLY_TRY(connection.exec(
        "UPDATE tallyman_lease SET worker = '', token = -1, expires_at = 0"));
    const std::lock_guard lock(leases_mutex_);
    renewed_until_.clear();
    return {};
  });
}

}  // namespace tallyman
