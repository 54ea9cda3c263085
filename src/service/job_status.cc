// What a status shows: counts, progress, errors.
#include <cmath>

#include "service/job_rules.h"
#include "service/job_service.h"

namespace tallyman {
namespace {

// Rounded down to a tenth, so that 100.0 means all of them.
double percentage_of(const Job& job) {
  if (!job.total_items) return 0.0;
  const std::uint64_t total = *job.total_items;
  if (total == 0) return 100.0;
  const auto tenths = static_cast<double>(job.counts.processed() * 1000 / total);
  return tenths / 10.0;
}

// Seconds, by the rate since the first claim. Nothing before the first unit or after the
// end.
std::optional<std::int64_t> remaining_seconds(const Job& job, Timestamp now) {
  if (job.state != JobState::kInProgress || !job.started_at) return std::nullopt;
  const std::uint64_t done = std::max(job.counts.processed(), job.checked_items);
  if (done == 0) return std::nullopt;
  const double elapsed = std::chrono::duration<double>(now - *job.started_at).count();
  const double left = static_cast<double>(job.total_items.value_or(0) - done);
  return static_cast<std::int64_t>(std::ceil(left * elapsed / static_cast<double>(done)));
}

}  // namespace

Result<JobStatus> JobService::status(const Caller& caller,
                                     const JobReference& reference) {
  TALLY_TRY_ASSIGN(Job job, find(caller, reference));
  JobStatus status{.job = std::move(job)};
  const Job& now = status.job;
  status.percentage = percentage_of(now);
  status.estimated_remaining = remaining_seconds(now, parts_.clock.now());
  const bool ended = is_terminal(now.state);
  if (ended) status.unprocessed = now.total_items.value_or(0) - now.counts.processed();
  if (now.counts.failed > 0 && !now.results_expired) {
    TALLY_TRY_ASSIGN(status.error_counts, parts_.ledger.error_counts(now.number));
    TALLY_TRY_ASSIGN(status.errors,
                     parts_.ledger.first_errors(now.number, limits::kStatusErrorsMax));
  }
  status.aggregates_ready = now.state == JobState::kJobComplete && now.verified;
  TALLY_TRY_ASSIGN(const auto aggregates, parts_.aggregates.find(now.number));
  status.aggregates_completed =
      !aggregates.empty() && std::all_of(aggregates.begin(), aggregates.end(),
                                         [](const StoredAggregate& a) { return a.done; });
  status.can_retry =
      ended && now.submission && !now.results_expired && has_records_to_retry(now);
  return status;
}

}  // namespace tallyman
