#include "db/fair_lock.h"

#include "base/check.h"

namespace tallyman::db {

bool FairLock::acquire_until(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  if (!held_) {
    held_ = true;
    return true;
  }
  Waiter waiter;
  const auto place = queue_.insert(queue_.end(), &waiter);
  if (waiter.called.wait_until(lock, deadline, [&] { return waiter.has_turn; }))
    return true;
  queue_.erase(place);
  return false;
}

void FairLock::release() {
  const std::lock_guard lock(mutex_);
  CHECK(held_);
  if (queue_.empty()) {
    held_ = false;
    return;
  }
  // The lock stays held and changes hands: nobody can overtake the queue.
  Waiter* next = queue_.front();
  queue_.pop_front();
  next->has_turn = true;
  next->called.notify_one();
}

std::size_t FairLock::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace tallyman::db
