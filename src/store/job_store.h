// JobStore: remembers jobs, their history and their turns. The one place in the program
// that writes a state.
//
// Implementations: SqliteJobStore, PostgresJobStore. Both pass the same tests,
// store/job_store_conformance.h; a behaviour that is not tested there is not part of this
// interface.
//
// Threads: every method may be called from any thread.
// Errors:  kNotFound      no such job
//          kConflict      the event may not happen now; nothing was changed
//          kLost          the epoch or the lease is no longer the caller's
//          kUnavailable   the database does not answer; nothing was changed
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "model/ids.h"
#include "model/job.h"
#include "model/job_state.h"
#include "store/change_signal.h"

namespace tallyman {

// The right to write some slices of a job: one lane's share of them.
struct Claim {
  JobNumber job{0};
  std::vector<SliceNumber> slices;  // Ascending.
  Epoch epoch{0};
  LeaseToken token{0};
  bool first = false;      // This claim moved the job to In Progress.
  bool reclaimed = false;  // A dead worker held one of them before.
};

// How a job is to be cut; asked once, at its first claim.
using MakeWindowPlan = std::function<WindowPlan(const Job&)>;

struct NewJob {
  JobId id;
  std::string resource;
  std::string table;
  Operation operation = Operation::kInsert;
  std::string owner;
  std::string created_by;
  ActingAs acting = {};   // Kept: what becomes of the token changes nothing.
  bool parallel = false;  // May run beside other jobs of its table that are parallel too.
  JobOptions options;
  std::string idempotency_key;  // Unique per (owner, resource) while not empty.
  std::optional<JobId> parent;
  std::uint64_t superseded = 0;
  // The job is one too many where its owner has this many that have not ended.
  std::optional<std::uint64_t> open_jobs_max = std::nullopt;
};

// What Upload Complete fixes.
struct CompletedUpload {
  std::uint64_t total_items = 0;
  std::uint64_t upload_bytes = 0;
  std::vector<std::string> columns;
  std::string fingerprint;
  std::uint64_t superseded = 0;  // A retry's child: known once its records are copied.
  std::optional<Operation> operation;  // An envelope may turn an update into an upsert.
  std::optional<JobOptions> options;   // ... and name unique_fields and update_fields.
  // With it the owner's uploads may take this much.
  std::optional<std::uint64_t> stored_bytes_max = std::nullopt;
};

// What happened to a job. Which state that leads to is not the caller's choice.
struct JobChange {
  JobId id;
  JobEvent event;
  std::string by = "system";
  std::string detail;  // For the history; of gave_up, refused, abort: also Job::message.
  std::optional<Claim> claim =
      std::nullopt;  // kFinished, kGaveUp by a worker: must hold.
  std::optional<CompletedUpload> upload = std::nullopt;  // kUploadCompleted.
  bool verified = false;  // kFinished. When false, `detail` says what differs.
};

struct JobFilter {
  std::vector<std::string> resources;  // Empty: all.
  std::optional<std::string> owner;    // Nothing: every owner's.
  std::optional<JobState> state;
  std::optional<Operation> operation;
  std::optional<Timestamp> created_after;
  std::optional<Timestamp> created_before;
  std::optional<JobNumber> before;  // Numbers below this one: the cursor.
  std::size_t limit = 100;
};

class JobStore {
 public:
  virtual ~JobStore() = default;

  // kConflict where the owner already has a job of the resource with the key (find it
  // with find_by_idempotency_key). A job that ended before its upload was complete gives
  // its key free: neither of the two sees it.
  // kTooMany (TOO_MANY_OPEN_JOBS) above open_jobs_max: counted in the transaction that
  // stores the job, so of two callers that race for the last place one gets it.
  virtual Result<Job> create(const NewJob& job) = 0;
  virtual Result<Job> find(const JobId& id) = 0;
  virtual Result<Job> find(JobNumber number) = 0;
  virtual Result<std::optional<Job>> find_by_idempotency_key(std::string_view owner,
                                                             std::string_view resource,
                                                             std::string_view key) = 0;
  // Newest first.
  virtual Result<std::vector<Job>> list(const JobFilter& filter) = 0;
  // In order; its times never go back, whatever the clocks of the nodes do.
  virtual Result<std::vector<JobHistoryEntry>> history(JobNumber job) = 0;

  // Moves the job along kTransitions and returns it as it now is. Atomic: of two callers
  // that race for one job, one gets kConflict. kUploadCompleted also numbers the
  // submission under the table's row; kAbortRequested and kGaveUp raise the epoch.
  // kTooLarge (STORED_BYTES_EXCEEDED) for an upload above its stored_bytes_max; the job
  // stays Open.
  virtual Result<Job> apply(const JobChange& change) = 0;
  // The same within a transaction that the caller commits.
  virtual Result<Job> apply(db::Transaction& transaction, const JobChange& change) = 0;

  // A line of history without a change of state.
  virtual Result<void> note(JobNumber job, std::string_view event, std::string_view by,
                            std::string_view detail) = 0;

  // Only a job that has ended (else kConflict): the job, history, ledger, aggregates.
  virtual Result<void> remove(const JobId& id) = 0;

  // --- What an owner has ---------------------------------------------------------------

  // Of all jobs of the owner whose upload is complete and has not expired: upload_bytes.
  // Kept, not summed: it takes the same time for any number of jobs.
  virtual Result<std::uint64_t> stored_bytes(std::string_view owner) = 0;
  // Those that still take data, oldest first.
  virtual Result<std::vector<JobId>> open_jobs(std::string_view owner) = 0;

  // --- Turns and leases -------------------------------------------------------------

  // Claims slices whose turn it is, with no living lease; as many of them as one of
  // `lanes` lanes gets. It is the turn of the job with the lowest submission number among
  // the unfinished ones of its table, and of parallel ones where all that come before
  // them are parallel too. Of several the one whose owner is next (store/owner_share.h).
  // Nothing where there is none; whoever holds several slices of a job that fewer than
  // `lanes` hold is then asked to share them. What `make_plan` says of the job is stored
  // at its first claim; it must not call this store.
  virtual Result<std::optional<Claim>> claim(std::string_view worker,
                                             const MakeWindowPlan& make_plan,
                                             std::uint32_t lanes,
                                             std::chrono::milliseconds lease_time) = 0;
  // The same for a retry that is Open: its records are to be copied from its parent. The
  // job stays Open; its upload is completed with an event like any other.
  virtual Result<std::optional<Claim>> claim_retry(
      std::string_view worker, std::chrono::milliseconds lease_time) = 0;
  // kLost where it is no longer held.
  virtual Result<void> renew(const Claim& claim,
                             std::chrono::milliseconds lease_time) = 0;
  // Hands the slices on, for another worker to claim at once. Fine where it is lost.
  virtual Result<void> release(const Claim& claim) = 0;
  // Hands the second half of the slices on where somebody asked for some. Returns what
  // is held: the first of the claim's slices. kLost where that is nothing.
  virtual Result<Claim> share(const Claim& claim) = 0;
  // To be called when the claim's slices are written. True: released, for somebody else
  // holds slices of the job. False: still held, for nobody does; whoever is told so ends
  // the job. Of several that leave at once that is one.
  virtual Result<bool> leave(const Claim& claim) = 0;
  // At the start of a process that has the database to itself (SQLite): no lease of an
  // earlier process is alive. Notes slice_reclaimed where there was one. Does nothing
  // where other nodes may be alive (PostgreSQL).
  virtual Result<void> release_all() = 0;

  // True while a change that ends the job from outside waits for the writer: who holds a
  // long transaction for the job rolls it back then, and lets the change through. Never
  // where such a change does not wait for units (PostgreSQL). No database.
  virtual bool end_is_requested(JobNumber job) const = 0;

  // --- What a worker reports --------------------------------------------------------

  virtual Result<void> set_checked_items(const Claim& claim, std::uint64_t items) = 0;
  virtual Result<void> add_retry(JobNumber job, std::string_view reason) = 0;
  virtual Result<void> set_lanes_reason(JobNumber job, std::string_view reason) = 0;

  // --- Retention --------------------------------------------------------------------

  // Jobs still Open that were created before `time`.
  virtual Result<std::vector<Job>> open_before(Timestamp time) = 0;
  // Ended before `time`, results not yet expired.
  virtual Result<std::vector<Job>> ended_before(Timestamp time, std::size_t limit) = 0;
  // Drops the ledger and says so in the job (the payload is the caller's).
  virtual Result<void> expire_results(JobNumber job) = 0;
  virtual Result<std::vector<Job>> removable_before(Timestamp time,
                                                    std::size_t limit) = 0;

  // True where a later job of the same table has written since this one ended; of a
  // parallel job: where another one may have.
  virtual Result<bool> written_since(const Job& job) = 0;

  // --- Waiting ----------------------------------------------------------------------

  // Raised by every committed change of any job (states and units), of every node.
  const ChangeSignal& changes() const { return changes_; }
  // Raised where a worker may find something to do: not by the units of a job.
  const ChangeSignal& work() const { return work_; }

  // To be called by whoever committed a transaction that this store wrote into (a unit;
  // an apply() in it): wakes those who wait.
  void announce_unit() { changes_.raise(); }
  void announce() {
    work_.raise();
    changes_.raise();
  }

 private:
  ChangeSignal changes_;
  ChangeSignal work_;
};

// The rule behind apply(), shared by every implementation: what `job` becomes after
// `change`, or kConflict (kLost for a claim of another epoch). Pure.
Result<Job> changed_job(const Job& job, const JobChange& change, Timestamp now);

// How many of its slices one of `lanes` lanes takes.
std::uint32_t slices_of_a_lane(const WindowPlan& plan, std::uint32_t lanes);

// Of a claim whose slices are somebody else's, or whose job was ended from outside.
Error claim_is_lost(JobNumber job);
// What remove() refuses with.
Error has_not_ended(const Job& job);
// What create() and apply() refuse with, in the same words everywhere.
Error too_many_open_jobs(std::string_view owner, std::uint64_t open_jobs_max);
Error stored_bytes_exceeded(std::string_view owner, std::uint64_t stored_bytes,
                            std::uint64_t stored_bytes_max);

}  // namespace tallyman
