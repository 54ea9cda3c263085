// What time takes away: uploads that never completed, results past their retention, jobs
// past theirs, and files that no job knows.
#pragma once

#include "base/result.h"
#include "worker/parts.h"

namespace tallyman {

// One round. What cannot be done now is left for the next one.
Result<void> sweep(const WorkerParts& parts, const WorkerSettings& settings);

// How long to wait between rounds: short where a retention is.
std::chrono::milliseconds sweep_interval(const WorkerSettings& settings);

}  // namespace tallyman
