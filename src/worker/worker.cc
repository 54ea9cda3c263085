#include "worker/worker.h"

#include <exception>

#include "base/log.h"
#include "worker/job_run.h"
#include "worker/pending_aggregates.h"
#include "worker/retry_copy.h"
#include "worker/sweeper.h"
#include "worker/window_plan.h"

namespace tallyman {
namespace {

// How often an idle thread looks by itself, beside being woken by a change.
constexpr std::chrono::milliseconds kIdleTime{250};

// What a thread does over and over: `step` until there is nothing to do, then waits.
template <class Step>
void work_until(const StopFlag& stop, JobStore& jobs, const char* what, Step step) {
  while (!stop.raised()) {
    const std::uint64_t seen = jobs.work().version();
    bool failed = false;
    bool busy = false;
    try {
      const Result<bool> done = step();
      failed = !done.ok();
      busy = done.ok() && done.value();
      if (failed) log_warning(what, {{"why", done.error().message}});
    } catch (const std::exception& exception) {
      failed = true;
      log_error(what, {{"why", exception.what()}});
    }
    if (failed) {
      stop.wait_for(kIdleTime);
    } else if (!busy) {
      jobs.work().wait(seen, kIdleTime);
    }
  }
}

}  // namespace

Worker::Worker(WorkerParts parts, WorkerSettings settings)
    : parts_(parts),
      settings_(std::move(settings)),
      keeper_(parts.jobs, settings_.lease_time) {
  for (unsigned i = 0; i < settings_.threads; ++i) {
    threads_.emplace_back([this] { run_jobs(); });
  }
  threads_.emplace_back([this] { run_chores(); });
  threads_.emplace_back([this] { run_sweeps(); });
}

Worker::~Worker() { stop(); }

void Worker::stop() {
  stop_.raise();
  parts_.jobs.announce();  // Whoever is idle waits for work.
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Worker::run_jobs() {
  work_until(stop_, parts_.jobs, "job_thread_failed", [this] { return run_next_job(); });
}

void Worker::run_chores() {
  work_until(stop_, parts_.jobs, "chore_failed", [this] { return run_next_chore(); });
}

void Worker::run_sweeps() {
  do {
    if (const auto swept = sweep(parts_, settings_); !swept.ok()) {
      log_warning("sweep_failed", {{"why", swept.error().message}});
    }
  } while (!stop_.wait_for(sweep_interval(settings_)));
}

Result<bool> Worker::run_next_job() {
  // The table may be gone, or no longer fit: whoever runs the job then says so.
  const auto make_plan = [&](const Job& job) {
    const auto plan = JobPlan::make(parts_, settings_, job);
    return cut_job(settings_, job, plan.ok() ? plan.value().writer->slicing() : Slicing{})
        .plan;
  };
  TALLY_TRY_ASSIGN(const auto claim,
                   parts_.jobs.claim(settings_.name, make_plan, settings_.lanes,
                                     settings_.lease_time));
  if (!claim) return false;
  log_info(claim->reclaimed ? "slice_reclaimed" : "slice_claimed",
           {{"job_number", std::to_string(claim->job.value())}});
  LeaseKeeper::Hold hold(keeper_, *claim);
  JobRun(parts_, settings_, stop_, *claim, hold).run();
  return true;
}

Result<bool> Worker::run_next_chore() {
  TALLY_TRY_ASSIGN(const auto claim,
                   parts_.jobs.claim_retry(settings_.name, settings_.lease_time));
  // A copy that fails for now keeps no aggregate waiting.
  const auto copied = claim ? copy_retry(*claim) : Result<void>();
  TALLY_TRY_ASSIGN(const bool answered, answer_pending_aggregates(parts_));
  TALLY_TRY(copied);
  return claim || answered;
}

Result<void> Worker::copy_retry(const Claim& claim) {
  const LeaseKeeper::Hold hold(keeper_, claim);
  auto copied = RetryCopy(parts_, settings_, stop_, claim).run();
  if (copied.ok() || copied.error().code == ErrorCode::kLost) return copied;
  // Not until the lease ends by itself: the next look takes it up again.
  if (!stop_.raised()) (void)parts_.jobs.add_retry(claim.job, copied.error().message);
  (void)parts_.jobs.release(claim);
  return copied;
}

}  // namespace tallyman
