// WholeJob: an atomic or a dry-run job: everything in one transaction, on one lane.
//
// First everything is bound and checked without a lock (checked_items moves); then
// everything is written in one transaction while the ledger is spooled to a file. At its
// end it is decided: the spool is committed with the rows, or alone after the rollback. A
// crash starts it over.
//
// Rolled back because of failures: failed records keep their code, the others become
// unprocessed. Rolled back because it was a dry run: the others keep their outcome.
//
// Threads: one; a second one reads ahead.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "worker/attempts.h"
#include "worker/job_plan.h"
#include "worker/ledger_spool.h"
#include "worker/parts.h"
#include "worker/verdict.h"

namespace tallyman {

class WholeJob {
 public:
  WholeJob(const WorkerParts& parts, const WorkerSettings& settings, const Claim& claim,
           const JobPlan& plan, Attempts& attempts);

  // Returns once the job has ended or work must pause. An error: for good.
  Result<void> run();

 private:
  struct Written {
    std::unique_ptr<db::Transaction> transaction;
    std::optional<LedgerSpool> spool;
    OutcomeCounts counts;
    std::string refusal;  // Why nothing may stay; else empty.
    bool cut = false;     // The error budget was passed.
  };

  Result<void> check_everything();
  Result<void> write_everything();
  // All windows in one open transaction; nothing where a trigger rolled it back.
  Result<std::optional<Written>> write_windows();
  Result<void> check_may_go_on();
  Result<bool> write_window(Written& written, const PreparedWindow& window,
                            KeyTable* keys);
  Result<void> decide(Written written);
  Result<void> commit(Written written, const JobVerdict& verdict);
  Result<void> store_after_rollback(Written written, const JobVerdict& verdict);

  const WorkerParts& parts_;
  const WorkerSettings& settings_;
  const Claim& claim_;
  const JobPlan& plan_;
  Attempts& attempts_;
  std::optional<std::uint64_t> budget_;
};

}  // namespace tallyman
