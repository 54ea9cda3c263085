// Worker: the threads that run jobs, copy retries, answer aggregates and sweep.
//
//   Worker worker(parts, settings);   // starts at once
//   worker.stop();                    // units under way are finished, slices handed on
//
// Threads: stop() from any; the destructor stops too.
#pragma once

#include <thread>
#include <vector>

#include "worker/lease_keeper.h"
#include "worker/parts.h"
#include "worker/stop_flag.h"

namespace tallyman {

class Worker {
 public:
  Worker(WorkerParts parts, WorkerSettings settings);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Returns when every thread has ended: after the units under way, the key table of a
  // job that has just begun, and the aggregates that are being computed.
  void stop();

 private:
  void run_jobs();
  void run_chores();
  void run_sweeps();
  // False where there was nothing to do.
  Result<bool> run_next_job();
  Result<bool> run_next_chore();
  Result<void> copy_retry(const Claim& claim);

  WorkerParts parts_;
  WorkerSettings settings_;
  StopFlag stop_;
  LeaseKeeper keeper_;
  std::vector<std::thread> threads_;
};

}  // namespace tallyman
