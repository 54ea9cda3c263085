// Runs a node until the process is told to stop.
#pragma once

#include "app/engine.h"

namespace tallyman {

// Says on standard output where it listens, or as whom it works (the first line) and,
// once, an administrator's first token. SIGTERM or SIGINT ends it within
// limits::kDrainTime: what is under way is finished, and what cannot be is gone on with
// at the next start. The exit code: 0, or 2 when it could not start (the reason is on
// standard error).
int run_until_signal(const ServerConfig& config, NodeRole role = NodeRole::kServe);

}  // namespace tallyman
