#include "store/job_store.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

constexpr Timestamp kNow = from_micros(1'000);

Job job_in(JobState state) {
  Job job{.id = JobId(Uuid()), .number = JobNumber(7)};
  job.state = state;
  job.epoch = Epoch(2);
  return job;
}

JobChange change(JobEvent event) {
  JobChange made{.id = JobId(Uuid()), .event = event};
  if (event == JobEvent::kUploadCompleted) made.upload.emplace();
  return made;
}

JobChange with_claim(JobEvent event, JobNumber job, Epoch epoch) {
  JobChange made = change(event);
  made.claim = Claim{.job = job, .epoch = epoch};
  return made;
}

TEST(ChangedJob, FollowsTheTransitionTable) {
  for (const JobState state : kAllJobStates) {
    for (const JobEvent event : kAllJobEvents) {
      const auto changed = changed_job(job_in(state), change(event), kNow);
      ASSERT_EQ(changed.ok(), next_state(state, event).has_value());
      if (changed.ok()) {
        EXPECT_EQ(changed.value().state, *next_state(state, event));
        EXPECT_EQ(changed.value().updated_at, kNow);
      } else {
        EXPECT_EQ(changed.error().code, ErrorCode::kConflict);
      }
    }
  }
}

TEST(ChangedJob, OnlyAbortAndGivingUpRaiseTheEpoch) {
  for (const Transition& row : kTransitions) {
    const Job changed = changed_job(job_in(row.from), change(row.event), kNow).value();
    const bool raises =
        row.event == JobEvent::kAbortRequested || row.event == JobEvent::kGaveUp;
    EXPECT_EQ(changed.epoch, Epoch(raises ? 3 : 2)) << name(row.event);
  }
}

TEST(ChangedJob, RefusesAClaimOfAnotherEpochOrJob) {
  const Job job = job_in(JobState::kInProgress);
  const auto tried = [&](JobNumber number, Epoch epoch) {
    return changed_job(job, with_claim(JobEvent::kFinished, number, epoch), kNow);
  };
  EXPECT_TRUE(tried(job.number, job.epoch).ok());
  EXPECT_EQ(tried(job.number, Epoch(1)).error().code, ErrorCode::kLost);
  EXPECT_EQ(tried(JobNumber(8), job.epoch).error().code, ErrorCode::kLost);
}

// A worker whose job was aborted learns that its claim is lost, not that its event is
// odd.
TEST(ChangedJob, ALostClaimIsSaidFirst) {
  const auto late =
      changed_job(job_in(JobState::kAborted),
                  with_claim(JobEvent::kFinished, JobNumber(7), Epoch(1)), kNow);
  EXPECT_EQ(late.error().code, ErrorCode::kLost);
}

TEST(ChangedJob, TimesDoNotGoBack) {
  Job job = job_in(JobState::kInProgress);
  job.updated_at = from_micros(5'000);
  const Job ended = changed_job(job, change(JobEvent::kAbortRequested), kNow).value();
  EXPECT_EQ(ended.updated_at, from_micros(5'000));
  EXPECT_EQ(ended.completed_at, from_micros(5'000));
}

}  // namespace
}  // namespace tallyman
