#include "worker/job_run.h"

#include <malloc.h>

#include <algorithm>

#include "worker/units.h"
#include "worker/verdict.h"
#include "worker/whole_job.h"
#include "worker/window_plan.h"

namespace tallyman {
namespace {

// What the windows held is in as many pieces as they had, in the arena of a thread that
// has ended: a next job's threads may take another one, and its windows would come on
// top. A small job holds nothing that is worth the look.
void return_free_memory(const Job& job) {
  if (job.upload_bytes > limits::kPieceBytesMax) malloc_trim(0);
}

// At the end of the upload nothing is added.
Result<void> take_next(WindowPipeline& pipeline, std::vector<PreparedWindow>& windows) {
  TALLY_TRY_ASSIGN(auto window, pipeline.next());
  if (window) windows.push_back(std::move(*window));
  return {};
}

bool takes_another(const Job& job, const std::vector<PreparedWindow>& windows) {
  std::uint64_t bytes = 0;
  for (const PreparedWindow& window : windows) bytes += window.bytes;
  return takes_another_window(job, windows.size(), bytes);
}

}  // namespace

std::string budget_message(const Job& job, std::uint64_t budget, RecordNumber record) {
  return "record " + std::to_string(record.value()) + " of " +
         std::to_string(job.total_items.value_or(0)) +
         " was one failure more than the error budget (" + std::to_string(budget) +
         ") allows; correct the failed records and retry the job";
}

JobRun::JobRun(const WorkerParts& parts, const WorkerSettings& settings,
               const StopFlag& stop, const Claim& claim, LeaseKeeper::Hold& hold)
    : parts_(parts),
      settings_(settings),
      claim_(claim),
      hold_(hold),
      attempts_(parts.jobs, claim.job, parts.random, stop, hold) {}

void JobRun::run() {
  auto worked = work();
  // A table that was changed in between is planned for anew.
  while (!worked.ok() && (attempts_.worth_another(worked.error()) ||
                          worked.error().code == ErrorCode::kConflict)) {
    attempts_.wait_after(worked.error());
    if (attempts_.must_pause()) break;
    worked = work();
  }
  if (!worked.ok() && !attempts_.paused()) worked = give_up(worked.error().message);
  if (!worked.ok()) {
    log_error("job_stuck", {{"job_number", std::to_string(claim_.job.value())},
                            {"why", worked.error().message}});
  }
  if (attempts_.paused() == Pause::kHandedOn) hand_on();
}

void JobRun::hand_on() {
  if (const auto released = parts_.jobs.release(claim_); !released.ok()) {
    log_warning("lease_not_released", {{"why", released.error().message}});
  }
}

Result<void> JobRun::work() {
  TALLY_TRY_ASSIGN(auto job,
                   attempts_.make([&] { return parts_.jobs.find(claim_.job); }));
  if (!job || is_terminal(job->state)) return {};
  const JobId id = job->id;
  TALLY_TRY_ASSIGN(
      auto plan, attempts_.make([&] { return JobPlan::make(parts_, settings_, *job); }));
  if (!plan) return {};
  if (claim_.first) TALLY_TRY(note_lanes(*plan));
  if (plan->job.plan->slices > 1 &&
      plan->writer->slicing().signature != plan->job.plan->sliced_by) {
    return give_up("the keys of table \"" + plan->job.table +
                   "\" were changed while the job wrote it in several slices; retry the "
                   "job for the rest");
  }

  Result<void> done;
  if (plan->job.options.atomic || plan->job.options.dry_run) {
    done = WholeJob(parts_, settings_, claim_, *plan, attempts_).run();
  } else {
    done = write_windows(*plan);
  }
  parts_.payloads.remove_scratch(id);
  return_free_memory(plan->job);
  return done;
}

// A job that was given one lane says why.
Result<void> JobRun::note_lanes(const JobPlan& plan) {
  const JobCut cut = cut_job(settings_, plan.job, plan.writer->slicing());
  if (cut.lanes_reason.empty()) return {};
  TALLY_TRY(attempts_.make([&]() -> Result<bool> {
    TALLY_TRY(parts_.jobs.set_lanes_reason(claim_.job, cut.lanes_reason));
    return true;
  }));
  return {};
}

// Where each of the claim's slices goes on.
Result<std::vector<SlicePosition>> JobRun::positions() const {
  std::vector<SlicePosition> positions;
  for (const SliceNumber slice : claim_.slices) {
    TALLY_TRY_ASSIGN(const SlicePosition position,
                     parts_.ledger.position(claim_.job, slice));
    positions.push_back(position);
  }
  return positions;
}

Result<void> JobRun::write_windows(const JobPlan& plan) {
  TALLY_TRY_ASSIGN(const auto goes_on, positions());
  const SlicePosition first = *std::min_element(
      goes_on.begin(), goes_on.end(),
      [](const auto& a, const auto& b) { return a.next_window < b.next_window; });
  TALLY_TRY_ASSIGN(const OutcomeCounts counts, parts_.ledger.counts(claim_.job));
  Progress progress{
      .budget = error_budget(plan.job.options, plan.job.total_items.value_or(0)),
      .failed = counts.failed,
      .keys = nullptr};
  const RecordNumber last_done(first.next_record.value() - 1);
  if (progress.budget && counts.failed > *progress.budget) {
    return give_up(budget_message(plan.job, *progress.budget, last_done));
  }

  TALLY_TRY_ASSIGN(progress.keys, plan.note_keys(parts_));
  TALLY_TRY_ASSIGN(auto source,
                   plan.windows(parts_.payloads, first.next_window, first.next_record));
  WindowPipeline pipeline(std::move(source), *plan.writer,
                          {.of = plan.job.plan->slices, .mine = claim_.slices});
  std::vector<PreparedWindow> windows;
  while (!attempts_.must_pause()) {
    windows.clear();
    TALLY_TRY(take_next(pipeline, windows));
    if (windows.empty()) return finish(plan);
    TALLY_TRY(share(pipeline));

    for (std::size_t i = 0; i < claim_.slices.size(); ++i) {
      for (std::size_t at = 0; at < windows.size(); ++at) {
        if (windows[at].number < goes_on[i].next_window) continue;  // Committed before.
        TALLY_TRY_ASSIGN(const bool is_written,
                         add_unit(windows[at], claim_.slices[i], plan, progress));
        if (!is_written) return {};
        // Each was read while a slice of the one before it was written.
        if (i == 0 && takes_another(plan.job, windows)) {
          TALLY_TRY(take_next(pipeline, windows));
        }
      }
    }
  }
  return {};
}

Result<bool> JobRun::add_unit(const PreparedWindow& window, SliceNumber slice,
                              const JobPlan& plan, Progress& progress) {
  WriteOptions options{.failures_max = std::nullopt, .keys = progress.keys.get()};
  if (progress.budget) options.failures_max = *progress.budget - progress.failed;
  TALLY_TRY_ASSIGN(const auto outcomes, attempts_.make([&] {
    return write_unit(window, slice, plan, options);
  }));
  if (!outcomes) return false;

  progress.failed += outcomes->errors.size();
  if (progress.budget && progress.failed > *progress.budget) {
    TALLY_TRY(give_up(budget_message(plan.job, *progress.budget,
                                     outcomes->record(outcomes->size() - 1))));
    return false;
  }
  if (progress.keys) TALLY_TRY(progress.keys->add_applied(*window.bound, *outcomes));
  return true;
}

Result<void> JobRun::share(WindowPipeline& pipeline) {
  if (claim_.slices.size() == 1) return {};
  TALLY_TRY_ASSIGN(const auto left, attempts_.make([&] { return hold_.share(); }));
  if (!left || left->slices.size() == claim_.slices.size()) return {};
  claim_ = *left;
  pipeline.narrow(claim_.slices);
  return {};
}

// A trigger may roll the whole transaction back; the writer then knows the record, and
// fails it when it is asked again.
Result<UnitOutcomes> JobRun::write_unit(const PreparedWindow& window, SliceNumber slice,
                                        const JobPlan& plan,
                                        const WriteOptions& options) {
  while (!attempts_.must_pause()) {
    TALLY_TRY_ASSIGN(auto outcomes, try_unit(window, slice, plan, options));
    if (outcomes) return std::move(*outcomes);
  }
  return Error{ErrorCode::kUnavailable, "the worker is to stop"};
}

Result<std::optional<UnitOutcomes>> JobRun::try_unit(const PreparedWindow& window,
                                                     SliceNumber slice,
                                                     const JobPlan& plan,
                                                     const WriteOptions& options) {
  const UnitPlace place{.window = window.number, .slice = slice};
  TALLY_TRY_ASSIGN(auto transaction, parts_.database.begin_write(settings_.writer_wait));
  const auto begun = parts_.ledger.begin_unit(*transaction, claim_, place);
  if (!begun.ok() && begun.error().code == ErrorCode::kConflict) {
    // A commit whose reply was lost: what it wrote is in the ledger.
    transaction->rollback();
    TALLY_TRY_ASSIGN(auto unit,
                     parts_.ledger.next_unit(claim_.job, window.number, slice));
    const bool is_there = unit && unit->window == window.number && unit->slice == slice;
    parts_.jobs.announce_unit();  // Nobody else has: it was not known to be committed.
    if (is_there) return std::optional(std::move(unit->outcomes));
    return Error{ErrorCode::kLost, "the job has ended and was removed meanwhile"};
  }
  TALLY_TRY(begun);

  auto outcomes = plan.writer->write(*transaction, *window.bound, slice, options);
  if (!outcomes.ok() && outcomes.error().code == ErrorCode::kLost) {
    return std::optional<UnitOutcomes>();
  }
  TALLY_TRY(outcomes);
  // One slice: the window as far as it was written. Several: never cut.
  const std::uint64_t window_records =
      plan.job.plan->slices == 1 ? outcomes.value().size() : window.record_count;
  TALLY_TRY(parts_.ledger.end_unit(*transaction, claim_, place, window_records,
                                   outcomes.value()));
  TALLY_TRY(transaction->commit());
  parts_.jobs.announce_unit();
  return std::optional(std::move(outcomes).value());
}

Result<void> JobRun::finish(const JobPlan& plan) {
  TALLY_TRY(attempts_.make([&]() -> Result<bool> {
    TALLY_TRY(try_finish(plan));
    return true;
  }));
  return {};
}

Result<void> JobRun::try_finish(const JobPlan& plan) {
  const bool is_sliced = plan.job.plan->slices > 1;
  if (is_sliced) {
    TALLY_TRY_ASSIGN(const bool others_stay, parts_.jobs.leave(claim_));
    if (others_stay) return {};
  }
  TALLY_TRY_ASSIGN(const OutcomeCounts counts, parts_.ledger.counts(claim_.job));
  if (is_sliced && counts.processed() < plan.job.total_items) {
    hand_on();  // Slices that nobody holds are left.
    return {};
  }
  TALLY_TRY_ASSIGN(auto snapshot, parts_.database.begin_read());
  TALLY_TRY_ASSIGN(const JobVerdict verdict,
                   judge_job(parts_, *snapshot, plan, counts,
                             ledger_ids(parts_.ledger, *snapshot, claim_.job)));
  snapshot.reset();

  TALLY_TRY_ASSIGN(auto transaction, parts_.database.begin_write(settings_.writer_wait));
  for (const StoredAggregate& aggregate : verdict.aggregates) {
    TALLY_TRY(parts_.aggregates.answer(*transaction, aggregate));
  }
  const auto finished = parts_.jobs.apply(*transaction, {.id = plan.job.id,
                                                         .event = JobEvent::kFinished,
                                                         .detail = verdict.detail,
                                                         .claim = claim_,
                                                         .upload = std::nullopt,
                                                         .verified = verdict.verified});
  // We have said so already, and the reply to the commit was lost.
  const bool is_late = !finished.ok() && finished.error().code == ErrorCode::kConflict;
  if (is_late) parts_.jobs.announce();
  if (is_late) return {};
  TALLY_TRY(finished);
  TALLY_TRY(transaction->commit());
  parts_.jobs.announce();
  return {};
}

Result<void> JobRun::give_up(const std::string& why) {
  TALLY_TRY(attempts_.make([&]() -> Result<bool> {
    TALLY_TRY_ASSIGN(const Job job, parts_.jobs.find(claim_.job));
    TALLY_TRY(parts_.jobs.apply({.id = job.id,
                                 .event = JobEvent::kGaveUp,
                                 .detail = why,
                                 .claim = claim_,
                                 .upload = std::nullopt}));
    return true;
  }));
  return {};
}

}  // namespace tallyman
