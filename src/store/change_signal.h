// ChangeSignal: a number that grows, and that threads wait for.
//
//   const std::uint64_t seen = signal.version();
//   if (nothing_to_do()) signal.wait(seen, 250ms);   // Nothing that came since is
//   missed.
//
// Threads: every method may be called from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace tallyman {

class ChangeSignal {
 public:
  void raise() {
    {
      const std::lock_guard lock(mutex_);
      ++version_;
    }
    raised_.notify_all();
  }

  std::uint64_t version() const {
    const std::lock_guard lock(mutex_);
    return version_;
  }

  // Waits until version() > `seen` or `wait` is over; returns version().
  std::uint64_t wait(std::uint64_t seen, std::chrono::milliseconds wait) const {
    std::unique_lock lock(mutex_);
    raised_.wait_for(lock, wait, [&] { return version_ > seen; });
    return version_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable raised_;
  std::uint64_t version_ = 0;
};

}  // namespace tallyman
