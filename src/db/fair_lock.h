// FairLock: a timed lock whose turns are first come, first served.
//
//   if (!lock.acquire_until(deadline)) return busy();
//   ...
//   lock.release();
//
// Threads: any; a lock may be released by another thread than the one that took it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>

namespace tallyman::db {

class FairLock {
 public:
  // False where the turn did not come in time.
  bool acquire_until(std::chrono::steady_clock::time_point deadline);
  // REQUIRES: acquired.
  void release();
  std::size_t waiting() const;  // How many wait for their turn.

 private:
  struct Waiter {
    std::condition_variable called;
    bool has_turn = false;
  };

  mutable std::mutex mutex_;  // Guards everything below.
  bool held_ = false;
  std::list<Waiter*> queue_;
};

}  // namespace tallyman::db
