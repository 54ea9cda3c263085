// UploadGate: lets one part of a job's upload in at a time.
//
//   UploadGate gate(mutex, jobs_under_way, job);
//   if (!gate.entered()) return ...;  // another part is arriving
//
// Threads: any, through the mutex.
#pragma once

#include <mutex>
#include <set>

#include "model/ids.h"

namespace tallyman {

class UploadGate {
 public:
  UploadGate(std::mutex& mutex, std::set<JobId>& under_way, const JobId& job)
      : mutex_(mutex), under_way_(under_way), job_(job) {
    const std::lock_guard lock(mutex_);
    entered_ = under_way_.insert(job_).second;
  }
  ~UploadGate() {
    if (!entered_) return;
    const std::lock_guard lock(mutex_);
    under_way_.erase(job_);
  }
  UploadGate(const UploadGate&) = delete;
  UploadGate& operator=(const UploadGate&) = delete;

  bool entered() const { return entered_; }

 private:
  std::mutex& mutex_;
  std::set<JobId>& under_way_;
  JobId job_;
  bool entered_ = false;
};

}  // namespace tallyman
