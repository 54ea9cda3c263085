// The life of a job: its states, what can happen to it, and what that leads to.
//
//  Open -upload_completed> Upload Complete -claimed> In Progress -finished> Job Complete
//    |                            |                         |
//    | upload_refused             |         gave_up         |
//    | upload_expired             +-------------------------+-----> Failed
//    | abort_requested            |     abort_requested     |
//    +----------------------------+-------------------------+-----> Aborted
//
// kTransitions below is the truth; the drawing is checked by job_state_test.cc.
// This file decides; it does not write. States are written in one place only:
// JobStore::apply (store/job_store.h).
//
// Plain values and pure functions: safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tallyman {

// The numbers are stored in databases: append, never renumber.
enum class JobState : std::uint8_t {
  kOpen = 0,            // Takes data. The only state in which data can be added.
  kUploadComplete = 1,  // All data is here and indexed; waits for its turn and a worker.
  kInProgress = 2,      // At least one slice was claimed; units are being committed.
  kJobComplete = 3,     // Every record has an outcome. Records may still have failed.
  kFailed = 4,          // The job as a whole could not go on; the rest is unprocessed.
  kAborted = 5,         // Stopped by a user, or never completed.
};

// The numbers are stored in databases: append, never renumber.
enum class JobEvent : std::uint8_t {
  kUploadCompleted = 0,  // The client says: no more data.
  kUploadRefused = 1,    // A one-request upload cannot be read; the reason is kept.
  kUploadExpired = 2,    // The job stayed Open for longer than it may.
  kAbortRequested = 3,   // A user asked to stop.
  kClaimed = 4,          // The first slice was claimed by a worker.
  kFinished = 5,         // Every unit has been committed.
  kGaveUp = 6,           // Error budget passed, totals differ, or a permanent error.
};

struct Transition {
  JobState from;
  JobEvent event;
  JobState to;
};

inline constexpr auto kTransitions = std::to_array<Transition>({
    {JobState::kOpen, JobEvent::kUploadCompleted, JobState::kUploadComplete},
    {JobState::kOpen, JobEvent::kUploadRefused, JobState::kAborted},
    {JobState::kOpen, JobEvent::kUploadExpired, JobState::kAborted},
    {JobState::kOpen, JobEvent::kAbortRequested, JobState::kAborted},
    {JobState::kUploadComplete, JobEvent::kAbortRequested, JobState::kAborted},
    {JobState::kInProgress, JobEvent::kAbortRequested, JobState::kAborted},
    {JobState::kUploadComplete, JobEvent::kClaimed, JobState::kInProgress},
    {JobState::kInProgress, JobEvent::kFinished, JobState::kJobComplete},
    {JobState::kUploadComplete, JobEvent::kGaveUp, JobState::kFailed},
    {JobState::kInProgress, JobEvent::kGaveUp, JobState::kFailed},
});

inline constexpr auto kAllJobStates = std::to_array<JobState>(
    {JobState::kOpen, JobState::kUploadComplete, JobState::kInProgress,
     JobState::kJobComplete, JobState::kFailed, JobState::kAborted});

inline constexpr auto kAllJobEvents =
    std::to_array<JobEvent>({JobEvent::kUploadCompleted, JobEvent::kUploadRefused,
                             JobEvent::kUploadExpired, JobEvent::kAbortRequested,
                             JobEvent::kClaimed, JobEvent::kFinished, JobEvent::kGaveUp});

// Where `event` leads from `from`, or nothing if it may not happen there.
constexpr std::optional<JobState> next_state(JobState from, JobEvent event) {
  for (const Transition& row : kTransitions) {
    if (row.from == from && row.event == event) return row.to;
  }
  return std::nullopt;
}

// True when no event leads anywhere: the job is over for good.
constexpr bool is_terminal(JobState state) {
  for (const Transition& row : kTransitions) {
    if (row.from == state) return false;
  }
  return true;
}

// As the API, the database and the logs write them: "Job Complete", "upload_completed".
std::string_view name(JobState state);
std::string_view name(JobEvent event);

// The inverse of name(). Also takes the Salesforce form ("JobComplete").
std::optional<JobState> job_state_from_name(std::string_view text);

}  // namespace tallyman
