// The ledger's units of a job, for whoever reads them beside its upload.
#pragma once

#include <functional>
#include <optional>

#include "base/result.h"
#include "model/job.h"
#include "store/job_store.h"
#include "store/ledger.h"

namespace tallyman {

// The first committed unit at or after (window, slice); nothing where there is none.
// Where there is none any more because the job was deleted, or its results have expired,
// in the middle of reading: kGone, for what is not in the ledger would look unprocessed.
inline std::function<Result<std::optional<LedgerUnit>>(WindowNumber, SliceNumber)>
ledger_units(JobStore& jobs, Ledger& ledger, const Job& job) {
  return
      [&jobs, &ledger, id = job.id, number = job.number](
          WindowNumber window, SliceNumber slice) -> Result<std::optional<LedgerUnit>> {
        TALLY_TRY_ASSIGN(auto unit, ledger.next_unit(number, window, slice));
        if (unit) return unit;
        const auto now = jobs.find(id);
        const bool deleted = !now.ok() && now.error().code == ErrorCode::kNotFound;
        if (!now.ok() && !deleted) return now.error();
        if (!deleted && !now.value().results_expired) return unit;
        return Error{ErrorCode::kGone,
                     "the results of job " + id.to_string() + " were removed meanwhile",
                     "RESULTS_EXPIRED"};
      };
}

}  // namespace tallyman
