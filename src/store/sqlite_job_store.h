// SqliteJobStore: the JobStore in a SQLite database, for one process.
//
//   TALLY_TRY(prepare_sqlite_schema(database));
//   SqliteJobStore jobs(database, clock, random);
//   TALLY_TRY(jobs.release_all());
//
// A renewed lease is remembered in memory, not written: the process that holds it is the
// only one that could claim it, and a heartbeat must not wait for a long unit's writer.
// (The lease of a process that died is as old as its claim, and release_all() ends it.)
//
// Ownership: database, clock and random must outlive it.
// Threads:   any.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "db/sqlite.h"
#include "store/job_store.h"
#include "store/owner_share.h"
#include "store/sqlite_work.h"

namespace tallyman {

class SqliteJobStore final : public JobStore {
 public:
  SqliteJobStore(db::Database& database, const Clock& clock, Random& random,
                 OwnerWeights weights = {})
      : database_(database),
        clock_(clock),
        random_(random),
        weights_(std::move(weights)) {}

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
  // Slices that may be claimed now.
  struct Candidate {
    Job job;
    std::optional<WindowPlan> plan;  // Of a job's first claim; else the job has its own.
    std::vector<SliceNumber> slices;
    bool was_held = false;  // A lease ran out.
    // Whose, slice by slice; not of those that are noted already.
    std::vector<std::string> reclaimed;
  };

  template <class Work>
  auto write(Work&& work) -> decltype(work(std::declval<db::SqliteConnection&>()));
  Result<Job> apply_in(db::SqliteConnection& connection, const JobChange& change);
  Result<std::vector<Job>> select_jobs(std::string_view where, Timestamp time,
                                       std::size_t limit);

  Result<std::optional<Candidate>> find_candidate(db::SqliteConnection& connection,
                                                  const MakeWindowPlan& make_plan,
                                                  std::uint32_t lanes);
  Result<std::optional<Candidate>> find_retry(db::SqliteConnection& connection);
  Result<std::optional<Candidate>> free_slices(db::SqliteConnection& connection,
                                               const Job& job, std::uint32_t slices,
                                               std::uint32_t most);
  Result<Claim> take(db::SqliteConnection& connection, const Candidate& candidate,
                     std::string_view worker, std::chrono::milliseconds lease_time);
  bool is_alive(std::int64_t token, Timestamp stored_expiry);

  db::Database& database_;
  const Clock& clock_;
  Random& random_;
  const OwnerWeights weights_;

  mutable std::mutex leases_mutex_;                  // Guards the two below.
  std::map<std::int64_t, Timestamp> renewed_until_;  // By token.
  std::multiset<JobNumber> ends_requested_;
};

// --- Implementation -------------------------------------------------------------------

template <class Work>
auto SqliteJobStore::write(Work&& work)
    -> decltype(work(std::declval<db::SqliteConnection&>())) {
  auto done = write_in(database_, std::forward<Work>(work));
  if (done.ok()) announce();
  return done;
}

}  // namespace tallyman
