#include "worker/sweeper.h"

#include <algorithm>

namespace tallyman {
namespace {

constexpr std::size_t kJobsAtOnce = 100;

Result<void> expire_uploads(const WorkerParts& parts, Timestamp before) {
  TALLY_TRY_ASSIGN(const auto jobs, parts.jobs.open_before(before));
  for (const Job& job : jobs) {
    const auto expired =
        parts.jobs.apply({.id = job.id,
                          .event = JobEvent::kUploadExpired,
                          .detail = "the upload was not completed in time",
                          .upload = std::nullopt});
    if (!expired.ok() && expired.error().code == ErrorCode::kConflict) continue;
    TALLY_TRY(expired);
    TALLY_TRY(parts.payloads.remove(job.id));
  }
  return {};
}

Result<void> expire_results(const WorkerParts& parts, Timestamp before) {
  while (true) {
    TALLY_TRY_ASSIGN(const auto jobs, parts.jobs.ended_before(before, kJobsAtOnce));
    for (const Job& job : jobs) {
      TALLY_TRY(parts.jobs.expire_results(job.number));
      TALLY_TRY(parts.payloads.remove(job.id));
    }
    if (jobs.size() < kJobsAtOnce) return {};
  }
}

Result<void> remove_jobs(const WorkerParts& parts, Timestamp before) {
  while (true) {
    TALLY_TRY_ASSIGN(const auto jobs, parts.jobs.removable_before(before, kJobsAtOnce));
    for (const Job& job : jobs) {
      TALLY_TRY(parts.jobs.remove(job.id));
      TALLY_TRY(parts.payloads.remove(job.id));
    }
    if (jobs.size() < kJobsAtOnce) return {};
  }
}

// A crash between the job's end and its payload's leaves the payload behind.
Result<void> remove_orphans(const WorkerParts& parts) {
  TALLY_TRY_ASSIGN(const auto kept, parts.payloads.list());
  for (const JobId& id : kept) {
    const auto job = parts.jobs.find(id);
    const bool unknown = !job.ok() && job.error().code == ErrorCode::kNotFound;
    const bool never_completed =
        job.ok() && is_terminal(job.value().state) && !job.value().submission;
    const bool expired = job.ok() && job.value().results_expired;
    if (unknown || never_completed || expired) TALLY_TRY(parts.payloads.remove(id));
  }
  return {};
}

}  // namespace

Result<void> sweep(const WorkerParts& parts, const WorkerSettings& settings) {
  const Timestamp now = parts.clock.now();
  TALLY_TRY(expire_uploads(parts, now - settings.open_time_max));
  TALLY_TRY(expire_results(parts, now - settings.results_retention));
  TALLY_TRY(remove_jobs(parts, now - settings.job_retention));
  return remove_orphans(parts);
}

std::chrono::milliseconds sweep_interval(const WorkerSettings& settings) {
  const auto shortest = std::min(
      {settings.open_time_max, settings.results_retention, settings.job_retention});
  return std::clamp<std::chrono::milliseconds>(
      shortest / 10, std::chrono::milliseconds(100), std::chrono::minutes(1));
}

}  // namespace tallyman
