// RetryCopy: gives a retry its records: the raw text of its parent's failed and
// unprocessed records, in the parent's content type and order.
//
// Not copied: in a keyed operation, a record whose key a later record of the parent has
// applied (superseded: doing it now would undo the later one); and a record that cannot
// stand among others (RECORD_TOO_LARGE, a quote that is never closed), which would fail
// again and could take its neighbours with it.
//
// Threads: one. Memory: a piece and a window; keys lie in a scratch file.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "payload/outcome_stream.h"
#include "worker/job_plan.h"
#include "worker/parts.h"
#include "worker/stop_flag.h"

namespace tallyman {

class RetryCopy {
 public:
  RetryCopy(const WorkerParts& parts, const WorkerSettings& settings,
            const StopFlag& stop, const Claim& claim);

  // Leaves the child Upload Complete, or, where its parent's records are gone, Aborted.
  Result<void> run();

 private:
  Result<void> refuse(const Job& child, const Error& error);
  Result<CompletedUpload> copy(const Job& child, const Job& parent);
  Result<std::unique_ptr<KeyTable>> note_keys(const JobPlan& plan);

  const WorkerParts& parts_;
  const WorkerSettings& settings_;
  const StopFlag& stop_;
  const Claim& claim_;
};

}  // namespace tallyman
