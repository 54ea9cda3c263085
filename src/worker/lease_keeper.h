// LeaseKeeper: keeps the leases of claims alive while they are worked on.
//
//   LeaseKeeper::Hold hold(keeper, claim);   // renewed until `hold` dies
//   if (hold.lost()) ...                     // another worker has the slice
//   TALLY_TRY_ASSIGN(claim, hold.share());   // with a worker that has nothing to do
//
// Threads: any. One thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <mutex>
#include <thread>

#include "store/job_store.h"
#include "worker/stop_flag.h"

namespace tallyman {

class LeaseKeeper {
 public:
  LeaseKeeper(JobStore& jobs, std::chrono::milliseconds lease_time);
  ~LeaseKeeper();

  class Hold {
   public:
    Hold(LeaseKeeper& keeper, const Claim& claim);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    bool lost() const { return lost_; }
    // What is left of the claim (JobStore::share()).
    Result<Claim> share();

   private:
    friend class LeaseKeeper;
    LeaseKeeper& keeper_;
    Claim claim_;  // mutex_.
    std::atomic<bool> lost_ = false;
  };

 private:
  void run();

  JobStore& jobs_;
  std::chrono::milliseconds lease_time_;
  StopFlag stop_;
  std::mutex mutex_;
  std::list<Hold*> holds_;  // mutex_.
  std::thread thread_;
};

}  // namespace tallyman
