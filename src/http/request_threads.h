// RequestThreads: threads for requests under way, made when needed, up to a limit.
//
// Above the limit requests wait in turn. The thread that has rested the shortest is taken
// first, so that those that a crowd needed find nothing to do and end.
//
// Ownership: holds the connections it was given until `work` has them.
// Threads: any. Memory: one stack a thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "http/connection.h"
#include "http/limits.h"

namespace tallyman::http {

class RequestThreads {
 public:
  using Clock = std::chrono::steady_clock;
  // Serves the connection. Must not throw.
  using Serve = std::function<After(Connection&)>;
  // Takes it back.
  using Return = std::function<void(std::unique_ptr<Connection>, After)>;

  RequestThreads(const ServerLimits& limits, Serve serve, Return give_back);
  ~RequestThreads();

  // False where too many wait already: the connection stays the caller's.
  bool submit(std::unique_ptr<Connection>& connection);

  // Requests that wait for a thread.
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  // Takes those out that have waited for longer than request_wait_time.
  std::vector<std::unique_ptr<Connection>> take_overdue(Clock::time_point now);
  // Cuts up to as many transfers as requests wait: those that have stood still the
  // longest, and for stalled_time_under_pressure at least.
  void cut_stalled(Clock::time_point now);

  std::size_t under_way() const;
  // True once none is under way or waits.
  bool wait_until_idle(Clock::time_point deadline);
  // Cuts every transfer under way and gives back what waits.
  void cut_all();
  // Ends the threads as soon as their handlers have returned. Nothing is submitted after.
  void join();

 private:
  struct Worker {
    std::thread thread;
    Connection* current = nullptr;
    std::condition_variable wake;
  };
  struct Waiting {
    std::unique_ptr<Connection> connection;
    Clock::time_point since;
  };
  using WorkerPlace = std::list<Worker>::iterator;

  bool start_worker();
  void run(WorkerPlace self);
  std::unique_ptr<Connection> next(WorkerPlace self, std::unique_lock<std::mutex>& lock);
  void join_finished(std::unique_lock<std::mutex>& lock);

  const ServerLimits& limits_;
  const Serve serve_;
  const Return give_back_;

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<Waiting> queue_;
  std::list<Worker> workers_;
  std::list<Worker> finished_;    // Ended, still to be joined.
  std::vector<Worker*> resting_;  // The last one has rested the shortest.
  std::size_t idle_workers_ = 0;
  std::size_t busy_workers_ = 0;
  bool ending_ = false;
  std::atomic<std::size_t> waiting_{
      0};  // queue_ entries that no idle worker is about to take.
};

}  // namespace tallyman::http
