// A job for tests of what is said about jobs.
#pragma once

#include "base/check.h"
#include "base/time_text.h"
#include "model/job.h"

namespace tallyman::rest {

inline Job complete_job() {
  Job job{.id = JobId(*Uuid::parse("0190a0b0-0000-7000-8000-000000000001"))};
  job.number = JobNumber(17);
  job.resource = "transactions";
  job.state = JobState::kJobComplete;
  job.created_at = *parse_rfc3339("2024-01-15T10:30:00Z");
  job.updated_at = *parse_rfc3339("2024-01-15T10:35:00Z");
  job.completed_at = job.updated_at;
  job.total_items = 2;
  job.counts.created = 2;
  job.verified = true;
  return job;
}

inline std::vector<JobHistoryEntry> history_to(JobState last) {
  std::vector<JobHistoryEntry> history;
  std::optional<JobState> from;
  for (const JobState state : {JobState::kOpen, JobState::kUploadComplete,
                               JobState::kInProgress, JobState::kJobComplete}) {
    history.push_back({.sequence = static_cast<std::int64_t>(history.size()) + 1,
                       .at = *parse_rfc3339("2024-01-15T10:30:00Z"),
                       .event = "event",
                       .from = from,
                       .to = state,
                       .by = "somebody",
                       .detail = {}});
    if (state == last) break;
    from = state;
  }
  return history;
}

}  // namespace tallyman::rest
