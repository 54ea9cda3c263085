#include "worker/window_plan.h"

namespace tallyman {
namespace {

// What of a job's options asks for file order, a unit after the other; empty: nothing.
std::string needs_one_lane(const JobOptions& options) {
  if (options.atomic) return "an atomic job is one transaction";
  if (options.dry_run) return "a dry run is one transaction";
  if (options.max_errors || options.max_error_ratio) {
    return "an error budget ends the job at one record in file order";
  }
  if (options.on_duplicate != OnDuplicate::kSequence) {
    return "on_duplicate = " + std::string(name(options.on_duplicate)) +
           " follows file order over the whole upload";
  }
  return "";
}

// Not worth the transactions of more than one slice.
bool is_small(const WorkerSettings& settings, const Job& job) {
  return job.total_items && *job.total_items * kSliceTurns <= settings.window_records &&
         job.upload_bytes * kSliceTurns <= settings.window_bytes;
}

}  // namespace

JobCut cut_job(const WorkerSettings& settings, const Job& job, const Slicing& slicing) {
  JobCut cut{.plan = {.window_records = settings.window_records,
                      .window_bytes = settings.window_bytes,
                      .slices = 1}};
  if (slicing.by == Slicing::By::kNothing) {
    cut.lanes_reason = slicing.reason;
    return cut;
  }
  cut.lanes_reason = needs_one_lane(job.options);
  if (!cut.lanes_reason.empty()) return cut;
  // In one slice a job would keep all others of a parallel resource waiting.
  if (is_small(settings, job) && !job.parallel) return cut;
  cut.plan.sliced_by = slicing.signature;
  cut.plan.slices = slicing.by == Slicing::By::kKey && changes_rows(job.operation)
                        ? kSliceTurns * settings.lanes
                        : settings.lanes;
  // Units of parallel jobs take turns by these slices: each of ours is a part of one.
  if (job.parallel && slicing.by == Slicing::By::kKey) {
    cut.plan.slices = (cut.plan.slices + kSliceTurns - 1) / kSliceTurns * kSliceTurns;
  }
  return cut;
}

bool takes_another_window(const Job& job, std::size_t windows, std::uint64_t bytes) {
  const bool in_turn =
      job.operation == Operation::kUpdate && job.plan->slices > kSliceTurns;
  return in_turn && windows < limits::kWindowsInTurnMax &&
         bytes + bytes / windows <= limits::kWindowsInTurnBytes;
}

}  // namespace tallyman
