// What is found out about a job when its last unit is written: do the counts agree, are
// the rows there, do the control totals hold, and the aggregates that were asked for.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "worker/job_plan.h"
#include "worker/parts.h"

namespace tallyman {

struct JobVerdict {
  bool verified = false;
  bool totals_hold = true;
  std::string detail;                       // What differs; else empty.
  std::vector<StoredAggregate> aggregates;  // Answered.
};

// All of it in the one snapshot `transaction`. `ids`: the ledger's units, from the start.
Result<JobVerdict> judge_job(const WorkerParts& parts, db::Transaction& transaction,
                             const JobPlan& plan, const OutcomeCounts& counts,
                             const RowIdSourceMaker& ids);

}  // namespace tallyman
