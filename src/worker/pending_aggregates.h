// Aggregates that were asked for after their job: answers one job's pending ones.
#pragma once

#include "base/result.h"
#include "worker/parts.h"

namespace tallyman {

// False where none are pending. All of a job's pending ones are computed in one snapshot.
Result<bool> answer_pending_aggregates(const WorkerParts& parts);

}  // namespace tallyman
