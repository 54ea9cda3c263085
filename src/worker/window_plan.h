// How a job is cut into windows and slices, decided once, at its first claim.
//
// Operations that change rows are cut into many slices even for one lane: neighbouring
// rows then fall into different transactions, and PostgreSQL can prune what the one
// before left on a page (docs/performance.md). Others have a slice for each lane: new
// rows had better come in the order of their keys. A job of less than an eighth of a
// window is one slice.
#pragma once

#include <string>

#include "model/job.h"
#include "target/target.h"
#include "worker/parts.h"

namespace tallyman {

struct JobCut {
  WindowPlan plan;
  std::string
      lanes_reason;  // Why the job has one lane; empty: it need not, or never could.
};

// `slicing`: what the table and the operation allow.
JobCut cut_job(const WorkerSettings& settings, const Job& job, const Slicing& slicing);

// A lane had better write a slice of several windows in turn, before the next slice of
// the first, where another lane updates rows beside it: what a transaction leaves on a
// page is pruned once all that began before its end have ended, so the lane's next
// transaction comes too early for that, and the one after it does not.
//
// False where the `windows` that it has, of `bytes` together, are enough: another one
// like them would be one too many, or too large. REQUIRES: it has one.
bool takes_another_window(const Job& job, std::size_t windows, std::uint64_t bytes);

}  // namespace tallyman
