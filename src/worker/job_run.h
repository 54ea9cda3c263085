// JobRun: works on a claim, its slices of a job, until it ends, is handed on or is lost.
//
// Window by window, each of the slices in turn; between windows some of them are handed
// on to whoever has nothing to do. Who is the last to have written its slices ends the
// job.
//
// A unit is one transaction: begin_unit, the target writes, end_unit, commit. What fails
// for a passing reason is tried again with a growing pause and noted in the job
// (retries); it is never a record's fault. A commit whose reply was lost is found by
// begin_unit.
//
// Threads: one; a second one (WindowPipeline) reads ahead.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "worker/attempts.h"
#include "worker/job_plan.h"
#include "worker/lease_keeper.h"
#include "worker/parts.h"

namespace tallyman {

class JobRun {
 public:
  JobRun(const WorkerParts& parts, const WorkerSettings& settings, const StopFlag& stop,
         const Claim& claim, LeaseKeeper::Hold& hold);

  // Everything that can go wrong is dealt with: tried again, or the job is Failed.
  void run();

 private:
  struct Progress {
    std::optional<std::uint64_t> budget;  // Failures that are allowed.
    std::uint64_t failed = 0;
    std::unique_ptr<KeyTable> keys;  // Null: none is needed.
  };

  // Each returns once the job has ended or attempts_ has paused. An error: for good.
  Result<void> work();
  Result<void> write_windows(const JobPlan& plan);
  Result<std::vector<SlicePosition>> positions() const;
  Result<void> share(WindowPipeline& pipeline);
  // False where there is nothing more to do: paused, or the job was given up.
  Result<bool> add_unit(const PreparedWindow& window, SliceNumber slice,
                        const JobPlan& plan, Progress& progress);
  Result<void> note_lanes(const JobPlan& plan);
  Result<void> finish(const JobPlan& plan);
  Result<void> give_up(const std::string& why);

  // One transaction that is committed.
  Result<UnitOutcomes> write_unit(const PreparedWindow& window, SliceNumber slice,
                                  const JobPlan& plan, const WriteOptions& options);
  // One transaction; nothing where a trigger rolled it back.
  Result<std::optional<UnitOutcomes>> try_unit(const PreparedWindow& window,
                                               SliceNumber slice, const JobPlan& plan,
                                               const WriteOptions& options);
  Result<void> try_finish(const JobPlan& plan);
  void hand_on();

  const WorkerParts& parts_;
  const WorkerSettings& settings_;
  Claim claim_;
  LeaseKeeper::Hold& hold_;
  Attempts attempts_;
};

// Why a job whose budget was passed is Failed.
std::string budget_message(const Job& job, std::uint64_t budget, RecordNumber record);

}  // namespace tallyman
