// PostgresJobStore: the JobStore in a PostgreSQL database, for any number of nodes.
//
//   TALLY_TRY(check_postgres_schema(database));
//   PostgresJobStore jobs(database, clock, random);
//
// Whether a lease is alive is decided by the database's clock; all other times are the
// clock's. Waiting ends when another node commits a change (PostgresListener), too.
//
// Among the tables' head jobs a claim prefers that of the owner for whom the fewest
// claims are worked on now; where there is nothing to do for that one, it goes on to the
// next, so that no slice is left lying.
//
// Two calls mean less here than on SQLite. release_all() does nothing: other nodes may be
// alive, and leases of the dead run out. end_is_requested() is never true: what ends a
// job from outside takes its row, which a unit locks only at its end, and so waits for
// nobody's long transaction.
//
// Ownership: database, clock and random must outlive it.
// Threads:   any; and one of its own, which listens.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "db/postgres_database.h"
#include "store/job_store.h"
#include "store/owner_share.h"
#include "store/postgres_listener.h"
#include "store/postgres_work.h"

namespace tallyman {

struct PostgresJobStoreOptions {
  // SQL for the time that leases are measured by: a seam for tests.
  std::function<std::string()> lease_clock = [] { return "clock_timestamp()"; };
  OwnerWeights weights = {};
};

class PostgresJobStore final : public JobStore {
 public:
  PostgresJobStore(db::PostgresDatabase& database, const Clock& clock, Random& random,
                   PostgresJobStoreOptions options = {});

  Result<Job> create(const NewJob& job) override;
  Result<Job> find(const JobId& id) override;
  Result<Job> find(JobNumber number) override;
  Result<std::optional<Job>> find_by_idempotency_key(std::string_view owner,
                                                     std::string_view resource,
                                                     std::string_view key) override;
  Result<std::vector<Job>> list(const JobFilter& filter) override;
  Result<std::vector<JobHistoryEntry>> history(JobNumber job) override;

  Result<Job> apply(const JobChange& change) override;
  Result<Job> apply(db::Transaction& transaction, const JobChange& change) override;
  Result<void> note(JobNumber job, std::string_view event, std::string_view by,
                    std::string_view detail) override;
  Result<void> remove(const JobId& id) override;

  Result<std::optional<Claim>> claim(std::string_view worker,
                                     const MakeWindowPlan& make_plan, std::uint32_t lanes,
                                     std::chrono::milliseconds lease_time) override;
  Result<std::optional<Claim>> claim_retry(std::string_view worker,
                                           std::chrono::milliseconds lease_time) override;
  Result<void> renew(const Claim& claim, std::chrono::milliseconds lease_time) override;
  Result<void> release(const Claim& claim) override;
  Result<Claim> share(const Claim& claim) override;
  Result<bool> leave(const Claim& claim) override;
  Result<void> release_all() override;
  bool end_is_requested(JobNumber job) const override;

  Result<void> set_checked_items(const Claim& claim, std::uint64_t items) override;
  Result<void> add_retry(JobNumber job, std::string_view reason) override;
  Result<void> set_lanes_reason(JobNumber job, std::string_view reason) override;

  Result<std::vector<Job>> open_before(Timestamp time) override;
  Result<std::vector<Job>> ended_before(Timestamp time, std::size_t limit) override;
  Result<void> expire_results(JobNumber job) override;
  Result<std::vector<Job>> removable_before(Timestamp time, std::size_t limit) override;
  Result<bool> written_since(const Job& job) override;

  Result<std::uint64_t> stored_bytes(std::string_view owner) override;
  Result<std::vector<JobId>> open_jobs(std::string_view owner) override;

 private:
  // Who claims, and how much of a job.
  struct Claimer {
    std::string_view worker;
    std::uint32_t lanes = 1;
    std::chrono::milliseconds lease_time;
  };
  // The head of a table that may have something to claim.
  struct Head {
    JobNumber job;
    bool is_new = false;  // Upload Complete.
  };

  template <class Work>
  auto write(Work&& work) -> decltype(work(std::declval<db::PostgresConnection&>()));
  Result<Job> apply_in(db::PostgresConnection& connection, const JobChange& change);
  Result<std::vector<Job>> select_jobs(std::string_view where, Timestamp time,
                                       std::size_t limit);

  Result<std::vector<Head>> find_heads(db::PostgresConnection& connection);
  Result<void> ask_to_share(std::uint32_t lanes);
  Result<std::optional<Claim>> start_job(const Claimer& claimer, JobNumber number,
                                         const MakeWindowPlan& make_plan);
  Result<std::optional<Claim>> join_job(const Claimer& claimer, JobNumber number,
                                        JobState state);
  Result<std::optional<Claim>> take_free(db::PostgresConnection& connection,
                                         const Claimer& claimer, const Job& job);
  Claim new_claim(const Job& job);

  db::PostgresDatabase& database_;
  const Clock& clock_;
  Random& random_;
  const PostgresJobStoreOptions options_;

  PostgresListener listener_;  // The last: it calls announce().
};

// --- Implementation -------------------------------------------------------------------

template <class Work>
auto PostgresJobStore::write(Work&& work)
    -> decltype(work(std::declval<db::PostgresConnection&>())) {
  auto done = postgres_write(
      database_, [&](db::PostgresConnection& connection) -> decltype(work(connection)) {
        auto worked = work(connection);
        if (worked.ok()) TALLY_TRY(postgres_notify(connection));
        return worked;
      });
  if (done.ok()) announce();
  return done;
}

}  // namespace tallyman
