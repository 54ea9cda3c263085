// JobService: what a user can do with jobs. Every face of the server calls this.
//
//   TALLY_TRY_ASSIGN(const Job job, service.create(caller, request));
//   TALLY_TRY_ASSIGN(const auto offset, service.append(caller, job_ref, {.offset = 0},
//   source)); TALLY_TRY(service.complete(caller, job_ref));
//
// A job that is not the caller's is not there: kNotFound, the same answer as for a job
// that does not exist.
//
// Threads: any. Has no thread of its own; append() and submit() read their source in the
//          caller's thread.
// Memory:  an upload in hand takes a few MiB, whatever its size.
// Errors:  see base/error.h; detail_code is the stable code of the REST face.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "model/job.h"
#include "model/limits.h"
#include "model/resource.h"
#include "payload/payload.h"
#include "service/caller.h"
#include "service/stored_bytes.h"
#include "store/aggregate_store.h"
#include "store/job_store.h"
#include "store/ledger.h"
#include "target/resource_catalog.h"
#include "target/target.h"

namespace tallyman {

// Fills at most the span; 0 is the end. kUnavailable: the sender is gone.
using ByteSource = std::function<Result<std::size_t>(std::span<char>)>;

struct ServiceSettings {
  std::uint64_t upload_bytes_max = limits::kUploadBytesMax;
  std::uint64_t record_bytes_max = limits::kRecordBytesMax;
  std::uint64_t atomic_records_max = limits::kAtomicRecordsMax;
  std::uint64_t expansion_ratio_max = limits::kExpansionRatioMax;  // Of gzip.
  std::size_t record_cells_max = limits::kRecordCellsMax;
  std::uint64_t delete_keys_max = limits::kDeleteKeysMax;
  std::uint64_t open_jobs_per_owner_max = limits::kOpenJobsPerOwnerMax;
  std::uint64_t stored_bytes_per_owner_max = limits::kStoredBytesPerOwnerMax;
};

struct JobRequest {
  std::string resource;
  Operation operation = Operation::kInsert;
  JobOptions options;
  std::string idempotency_key;  // Empty: none.
  // The operation is an update that unique_fields in an envelope may turn into an upsert
  // (PATCH /bulk/v2/ without unique_fields in the query).
  bool envelope_may_make_upsert = false;
  // How long the sender says that the upload is; nothing where they do not say.
  std::optional<std::uint64_t> announced_bytes = std::nullopt;
};

// Names a job as a path does. An empty resource: whichever.
struct JobReference {
  std::string resource;
  JobId id;
};

struct UploadPart {
  std::uint64_t offset = 0;  // Of the decoded upload. kConflict where it is not the next.
  // Stored entirely or not at all (a part with Content-Encoding is a whole stream).
  // Otherwise what arrived before the connection broke is kept.
  bool all_or_nothing = false;
  std::optional<std::uint64_t> announced_bytes = std::nullopt;  // Of the part.
};

// What an upload turned out to be, once it is whole.
struct UploadReceived {
  std::uint64_t total_items = 0;
  std::uint64_t upload_bytes = 0;
  std::vector<std::string> columns;     // CSV.
  std::optional<std::string> envelope;  // JSON: its other members.
};

// What GET .../status/ shows, beside the job itself.
struct JobStatus {
  Job job;
  double percentage = 0.0;  // Of processed records; 100.0 for no records.
  std::optional<std::int64_t> estimated_remaining;  // Seconds, by the measured rate.
  std::uint64_t unprocessed = 0;                    // Known once the job has ended.
  ErrorCounts error_counts{};
  std::vector<std::pair<RecordNumber, RecordError>> errors;  // The first 100.
  bool aggregates_ready = false;      // They may be asked for: complete and verified.
  bool aggregates_completed = false;  // All that were asked for are answered.
  bool can_retry = false;
};

struct AggregatesAnswer {
  std::vector<StoredAggregate> aggregates;  // The asked-for ones, in order.
  bool complete = false;                    // Else some are still being computed.
  bool changed_since = false;               // A later job has written the table.
};

class JobService {
 public:
  struct Parts {
    ResourceCatalog& catalog;
    Target& target;
    JobStore& jobs;
    Ledger& ledger;
    AggregateStore& aggregates;
    PayloadStore& payloads;
    Clock& clock;
    Random& random;
  };

  JobService(Parts parts, ServiceSettings settings);

  // --- A job in steps -----------------------------------------------------------------

  // With an idempotency key that was used with the same options: that job again.
  Result<Job> create(const Caller& caller, const JobRequest& request);
  // Returns the offset after the part. kConflict for a wrong offset (upload_offset()
  // tells the right one) or while another part is arriving.
  Result<std::uint64_t> append(const Caller& caller, const JobReference& job,
                               const UploadPart& part, const ByteSource& source);
  Result<std::uint64_t> upload_offset(const Caller& caller, const JobReference& job);
  Result<Job> complete(const Caller& caller, const JobReference& job);
  Result<Job> abort(const Caller& caller, const JobReference& job);
  // A new job over the failed and unprocessed records. Waits a little for its records to
  // be copied, so that superseded and total_items are mostly known in the answer.
  // With an idempotency key that was used for it: that retry again.
  Result<Job> retry(const Caller& caller, const JobReference& job,
                    const std::string& idempotency_key);
  Result<void> remove(const Caller& caller, const JobReference& job);

  // --- A job in one request -----------------------------------------------------------

  // create, append, complete. What cannot be read is Aborted with its reason, and the
  // error returned.
  Result<Job> submit(const Caller& caller, const JobRequest& request,
                     const ByteSource& source);

  // Waits until the job has ended, at most `wait`.
  Result<Job> wait_for_end(const Caller& caller, const JobReference& job,
                           std::chrono::milliseconds wait);

  // --- Watching -----------------------------------------------------------------------

  Result<Job> find(const Caller& caller, const JobReference& job);
  Result<JobStatus> status(const Caller& caller, const JobReference& job);
  // Only the caller's jobs (an admin: everybody's) of resources that the token may read.
  // filter.owner and filter.resources are narrowed, never widened.
  Result<std::vector<Job>> list(const Caller& caller, JobFilter filter);
  Result<std::vector<JobHistoryEntry>> history(const Caller& caller,
                                               const JobReference& job);
  // For event streams.
  const ChangeSignal& changes() const { return parts_.jobs.changes(); }

  // --- Aggregates ---------------------------------------------------------------------

  // Asks, and waits up to limits::kAggregatesWait for the answers. `json` is the object
  // of definitions by name. kConflict unless Job Complete and verified.
  Result<AggregatesAnswer> request_aggregates(const Caller& caller, const JobId& id,
                                              std::string_view json);
  // kNotFound with AGGREGATES_NOT_REQUESTED before any was asked for.
  Result<AggregatesAnswer> find_aggregates(const Caller& caller, const JobReference& job);

  // --- Describing ---------------------------------------------------------------------

  // Resources that the caller may see, by name.
  Result<std::vector<std::shared_ptr<const Resource>>> resources(const Caller& caller);
  Result<std::shared_ptr<const Resource>> resource(const Caller& caller,
                                                   std::string_view name);

  // Whoever waits here (for a job's end, for aggregates) is answered at once from now on.
  void stop();

  const ServiceSettings& settings() const { return settings_; }

  // The parts that results() needs (service/results.h).
  Parts& parts() { return parts_; }

 private:
  Parts parts_;
  ServiceSettings settings_;
  StoredBytes stored_bytes_;
  std::atomic<bool> stopping_ = false;
  std::uint64_t wait_for_change(std::uint64_t seen, std::chrono::milliseconds wait) const;
  Result<Job> wait_until(const JobId& id, std::chrono::milliseconds wait,
                         std::uint64_t seen,
                         const std::function<bool(const Job&)>& reached);
  Result<Job> resubmit(const Caller& caller, const Job& job, const JobRequest& request,
                       const ByteSource& source);
  Result<Job> receive_whole(const Caller& caller, const Job& job,
                            const Resource& resource, const JobRequest& request,
                            const ByteSource& source);
  Result<Job> receive_into(const Caller& caller, const Job& job, const Resource& resource,
                           const JobRequest& request, const ByteSource& source);
  Result<Job> complete_upload(const Caller& caller, const Job& job,
                              const Resource& resource, UploadReceived received,
                              std::string fingerprint, bool envelope_may_make_upsert);

  std::mutex uploads_mutex_;
  std::set<JobId>
      uploads_under_way_;  // Jobs that a part is arriving for. uploads_mutex_.
};

}  // namespace tallyman
