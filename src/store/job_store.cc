#include "store/job_store.h"

#include <algorithm>

#include "base/check.h"
#include "model/in_quotes.h"

namespace tallyman {
namespace {

Error not_now(const Job& job, JobEvent event) {
  return {ErrorCode::kConflict,
          "job " + job.id.to_string() + " is " + std::string(name(job.state)) + ": " +
              std::string(name(event)) + " is not possible in this state",
          "INVALID_STATE"};
}

void fix_upload(Job& job, const CompletedUpload& upload) {
  job.total_items = upload.total_items;
  job.upload_bytes = upload.upload_bytes;
  job.columns = upload.columns;
  job.fingerprint = upload.fingerprint;
  if (upload.superseded > 0) job.superseded = upload.superseded;
  if (upload.operation) job.operation = *upload.operation;
  if (upload.options) job.options = *upload.options;
}

}  // namespace

Result<Job> changed_job(const Job& job, const JobChange& change, Timestamp now) {
  if (change.claim &&
      (change.claim->job != job.number || change.claim->epoch != job.epoch)) {
    return claim_is_lost(job.number);
  }
  const std::optional<JobState> to = next_state(job.state, change.event);
  if (!to) return not_now(job, change.event);

  Job changed = job;
  changed.state = *to;
  // A wall clock may be set back; a history may not.
  changed.updated_at = std::max(now, job.updated_at);
  if (is_terminal(*to)) changed.completed_at = changed.updated_at;
  switch (change.event) {
    case JobEvent::kUploadCompleted:
      CHECK(change.upload.has_value());
      fix_upload(changed, *change.upload);
      break;
    case JobEvent::kClaimed: changed.started_at = changed.updated_at; break;
    case JobEvent::kFinished:
      changed.verified = change.verified;
      if (!change.verified) changed.message = change.detail;
      break;
    case JobEvent::kUploadRefused:
    case JobEvent::kUploadExpired: changed.message = change.detail; break;
    case JobEvent::kAbortRequested:
    case JobEvent::kGaveUp:
      changed.message = change.detail;
      changed.epoch = Epoch(job.epoch.value() + 1);
      break;
  }
  return changed;
}

std::uint32_t slices_of_a_lane(const WindowPlan& plan, std::uint32_t lanes) {
  return (plan.slices + lanes - 1) / lanes;
}

Error claim_is_lost(JobNumber job) {
  return {
      ErrorCode::kLost,
      "job number " + std::to_string(job.value()) +
          ": the claim is no longer held; somebody else goes on, or the job was ended"};
}

Error has_not_ended(const Job& job) {
  return {ErrorCode::kConflict,
          "job " + job.id.to_string() + " is " + std::string(name(job.state)) +
              ": only a job that has ended can be removed; abort it first",
          "INVALID_STATE"};
}

Error too_many_open_jobs(std::string_view owner, std::uint64_t open_jobs_max) {
  return {ErrorCode::kTooMany,
          "owner " + in_quotes(owner) + " has " + std::to_string(open_jobs_max) +
              " jobs that have not ended, the most that may be "
              "(open_jobs_per_owner_max); wait until one has ended, or complete or abort "
              "one",
          "TOO_MANY_OPEN_JOBS"};
}

Error stored_bytes_exceeded(std::string_view owner, std::uint64_t stored_bytes,
                            std::uint64_t stored_bytes_max) {
  return {ErrorCode::kTooLarge,
          "the uploads of owner " + in_quotes(owner) + " take " +
              std::to_string(stored_bytes) +
              " bytes; with this one they would take more "
              "than " +
              std::to_string(stored_bytes_max) +
              " (stored_bytes_per_owner_max); delete jobs that have ended, or wait for "
              "their results_retention",
          "STORED_BYTES_EXCEEDED"};
}

}  // namespace tallyman
