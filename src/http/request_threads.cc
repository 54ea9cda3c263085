#include "http/request_threads.h"

#include <algorithm>
#include <system_error>

#include "base/log.h"

namespace tallyman::http {
RequestThreads::RequestThreads(const ServerLimits& limits, Serve serve, Return give_back)
    : limits_(limits), serve_(std::move(serve)), give_back_(std::move(give_back)) {}

RequestThreads::~RequestThreads() { join(); }

bool RequestThreads::submit(std::unique_ptr<Connection>& connection) {
  std::unique_lock lock(mutex_);
  if (queue_.size() >= idle_workers_ && !start_worker() &&
      queue_.size() >= idle_workers_ + limits_.requests_waiting_max) {
    return false;
  }
  queue_.push_back({std::move(connection), Clock::now()});
  waiting_ = queue_.size() > idle_workers_ ? queue_.size() - idle_workers_ : 0;
  if (!resting_.empty()) {
    resting_.back()->wake.notify_one();
    resting_.pop_back();
  }
  join_finished(lock);
  return true;
}

// True where the queue has a worker more now.
bool RequestThreads::start_worker() {
  if (workers_.size() >= limits_.request_threads_max) return false;
  const WorkerPlace place = workers_.emplace(workers_.end());
  try {
    place->thread = std::thread([this, place] { run(place); });
  } catch (const std::system_error&) {
    workers_.erase(place);
    log_warning("request_thread_refused", {{"threads", std::to_string(workers_.size())}});
    return false;
  }
  // It counts as idle from here on, so that it is not made twice for one request.
  ++idle_workers_;
  return true;
}

// Nothing where the thread is to end. One that was woken may find that a busy one was
// quicker, and rests on.
std::unique_ptr<Connection> RequestThreads::next(WorkerPlace self,
                                                 std::unique_lock<std::mutex>& lock) {
  const auto until = Clock::now() + limits_.thread_idle_time;
  while (queue_.empty() && !ending_) {
    resting_.push_back(&*self);
    const bool overdue = self->wake.wait_until(lock, until) == std::cv_status::timeout;
    std::erase(resting_, &*self);
    if (overdue && queue_.empty()) return nullptr;
  }
  if (queue_.empty()) return nullptr;
  auto connection = std::move(queue_.front().connection);
  queue_.pop_front();
  return connection;
}

void RequestThreads::run(WorkerPlace self) {
  block_sigpipe();
  std::unique_lock lock(mutex_);
  while (auto connection = next(self, lock)) {
    --idle_workers_;
    ++busy_workers_;
    waiting_ = queue_.size() > idle_workers_ ? queue_.size() - idle_workers_ : 0;
    self->current = connection.get();
    lock.unlock();
    const After after = serve_(*connection);
    lock.lock();
    self->current = nullptr;
    ++idle_workers_;
    lock.unlock();
    give_back_(std::move(connection), after);
    lock.lock();
    --busy_workers_;
    if (busy_workers_ == 0 && queue_.empty()) idle_.notify_all();
  }
  --idle_workers_;
  finished_.splice(finished_.end(), workers_, self);
}

void RequestThreads::join_finished(std::unique_lock<std::mutex>& lock) {
  if (finished_.empty()) return;
  std::list<Worker> ended = std::move(finished_);
  finished_.clear();
  lock.unlock();
  for (Worker& worker : ended) worker.thread.join();
}

std::vector<std::unique_ptr<Connection>> RequestThreads::take_overdue(
    Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::unique_ptr<Connection>> overdue;
  while (!queue_.empty() && now - queue_.front().since > limits_.request_wait_time) {
    overdue.push_back(std::move(queue_.front().connection));
    queue_.pop_front();
  }
  waiting_ = queue_.size() > idle_workers_ ? queue_.size() - idle_workers_ : 0;
  return overdue;
}

void RequestThreads::cut_stalled(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<Clock::duration, Connection*>> stalled;
  for (const Worker& worker : workers_) {
    if (worker.current == nullptr || worker.current->wait_state.is_cut()) continue;
    const auto time = worker.current->wait_state.waiting_for(now);
    if (time >= limits_.stalled_time_under_pressure)
      stalled.emplace_back(time, worker.current);
  }
  const std::size_t count = std::min(stalled.size(), waiting());
  std::partial_sort(stalled.begin(), stalled.begin() + static_cast<std::ptrdiff_t>(count),
                    stalled.end(), std::greater<>());
  for (std::size_t i = 0; i < count; ++i) {
    stalled[i].second->wait_state.cut();
    stalled[i].second->transport->shut_down();
  }
  if (count > 0) log_warning("stalled_transfers_cut", {{"count", std::to_string(count)}});
}

std::size_t RequestThreads::under_way() const {
  const std::lock_guard lock(mutex_);
  return busy_workers_ + queue_.size();
}

bool RequestThreads::wait_until_idle(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, deadline,
                          [this] { return busy_workers_ == 0 && queue_.empty(); });
}

void RequestThreads::cut_all() {
  std::deque<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    for (const Worker& worker : workers_) {
      if (worker.current == nullptr) continue;
      worker.current->wait_state.cut();
      worker.current->transport->shut_down();
    }
    waiting.swap(queue_);
    waiting_ = 0;
  }
  for (Waiting& one : waiting) give_back_(std::move(one.connection), After::kClose);
}

void RequestThreads::join() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  for (Worker& worker : workers_) worker.wake.notify_one();
  while (!workers_.empty() || !finished_.empty()) {
    if (finished_.empty()) {
      // The last thing a worker does under the lock is to move itself to `finished_`.
      std::thread thread = std::move(workers_.front().thread);
      lock.unlock();
      thread.join();
      lock.lock();
      std::erase_if(finished_,
                    [](const Worker& worker) { return !worker.thread.joinable(); });
      continue;
    }
    join_finished(lock);
    if (!lock.owns_lock()) lock.lock();
  }
}

}  // namespace tallyman::http
