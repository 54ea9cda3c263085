// The commands about jobs that have been started. Each gives the program's exit code.
//
// Errors: said on console.err in one line; the exit code is then kExitFailed.
#pragma once

#include "app/command_line.h"
#include "app/console.h"
#include "base/result.h"
#include "client/client.h"

namespace tallyman {

int run_jobs(const JobsCommand& command, Console& console);
int run_status(const StatusCommand& command, Console& console);
int run_results(const ResultsCommand& command, Console& console);
int run_aggregates(const AggregatesCommand& command, Console& console);
int run_abort(const AbortCommand& command, Console& console);
int run_retry(const RetryCommand& command, Console& console);

Result<std::unique_ptr<client::Client>> connect(const ServerAddress& server);

// Says what went wrong; kExitFailed.
int report(const Error& error, Console& console);

// Waits until the job has ended, showing how far it is; says how it ended, writes the
// results where a file is named. The job's exit code.
Result<int> watch_to_end(client::Client& client, const client::JobReference& job,
                         const std::string& results_file, Console& console);

}  // namespace tallyman
