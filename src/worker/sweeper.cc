#include "worker/sweeper.h"

#include <algorithm>

namespace tallyman {
namespace {

constexpr std::size_t kJobsAtOnce = 100;

// The first of what went wrong, while the rest is swept all the same.
class Sweep {
 public:
  explicit Sweep(PayloadStore& payloads) : payloads_(payloads) {}

  void note(Result<void> done) {
    if (result_.ok() && !done.ok()) result_ = std::move(done);
  }
  // What cannot be removed now is an orphan of the next sweep.
  void remove_payload(const JobId& job) { note(payloads_.remove(job)); }
  Result<void> result() && { return std::move(result_); }

 private:
  PayloadStore& payloads_;
  Result<void> result_;
};

Result<void> expire_uploads(const WorkerParts& parts, Timestamp before, Sweep& swept) {
  TALLY_TRY_ASSIGN(const auto jobs, parts.jobs.open_before(before));
  for (const Job& job : jobs) {
    const auto expired =
        parts.jobs.apply({.id = job.id,
                          .event = JobEvent::kUploadExpired,
                          .detail = "the upload was not completed in time",
                          .upload = std::nullopt});
    if (!expired.ok() && expired.error().code == ErrorCode::kConflict) continue;
    TALLY_TRY(expired);
    swept.remove_payload(job.id);
  }
  return {};
}

Result<void> expire_results(const WorkerParts& parts, Timestamp before, Sweep& swept) {
  while (true) {
    TALLY_TRY_ASSIGN(const auto jobs, parts.jobs.ended_before(before, kJobsAtOnce));
    for (const Job& job : jobs) {
      TALLY_TRY(parts.jobs.expire_results(job.number));
      swept.remove_payload(job.id);
    }
    if (jobs.size() < kJobsAtOnce) return {};
  }
}

Result<void> remove_jobs(const WorkerParts& parts, Timestamp before, Sweep& swept) {
  while (true) {
    TALLY_TRY_ASSIGN(const auto jobs, parts.jobs.removable_before(before, kJobsAtOnce));
    for (const Job& job : jobs) {
      TALLY_TRY(parts.jobs.remove(job.id));
      swept.remove_payload(job.id);
    }
    if (jobs.size() < kJobsAtOnce) return {};
  }
}

// A crash between the job's end and its payload's leaves the payload behind.
Result<void> remove_orphans(const WorkerParts& parts, Sweep& swept) {
  TALLY_TRY_ASSIGN(const auto kept, parts.payloads.list());
  for (const JobId& id : kept) {
    const auto job = parts.jobs.find(id);
    const bool unknown = !job.ok() && job.error().code == ErrorCode::kNotFound;
    const bool never_completed =
        job.ok() && is_terminal(job.value().state) && !job.value().submission;
    const bool expired = job.ok() && job.value().results_expired;
    if (unknown || never_completed || expired) swept.remove_payload(id);
  }
  return {};
}

}  // namespace

Result<void> sweep(const WorkerParts& parts, const WorkerSettings& settings) {
  const Timestamp now = parts.clock.now();
  Sweep swept(parts.payloads);
  swept.note(expire_uploads(parts, now - settings.open_time_max, swept));
  swept.note(expire_results(parts, now - settings.results_retention, swept));
  swept.note(remove_jobs(parts, now - settings.job_retention, swept));
  swept.note(remove_orphans(parts, swept));
  return std::move(swept).result();
}

std::chrono::milliseconds sweep_interval(const WorkerSettings& settings) {
  const auto shortest = std::min(
      {settings.open_time_max, settings.results_retention, settings.job_retention});
  return std::clamp<std::chrono::milliseconds>(
      shortest / 10, std::chrono::milliseconds(100), std::chrono::minutes(1));
}

}  // namespace tallyman
