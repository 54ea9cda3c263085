// Poller: the one thread that holds every connection without a request under way. It
// accepts, shakes hands, reads heads, and ends connections whose time is over.
//
// Ownership: connections are its own except while a request thread has them; every one
// comes back here to be kept or closed. Threads: run() on one; hand_back(), stop() and
// quit() from any. Errors: what it cannot do for one connection ends that connection.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/connection.h"
#include "http/descriptor.h"
#include "http/limits.h"
#include "http/listener.h"
#include "http/request_threads.h"

namespace tallyman::http {

class Poller {
 public:
  // `tls` may be null: plain HTTP.
  Poller(const ServerLimits& limits, Descriptor listener, TlsContext* tls,
         RequestThreads& threads);

  void run();

  void hand_back(std::unique_ptr<Connection> connection, After after);
  // Accepts nobody more; requests that have arrived whole are still begun, all other
  // waiting connections are closed. Returns when that is done.
  void stop();
  // Ends run() once those connections that are being ended have ended, or after a quarter
  // of a second.
  void quit();

  // Open connections, waiting or with a request under way.
  std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;
  struct HandedBack {
    std::unique_ptr<Connection> connection;
    After after;
  };

  void accept_all();
  void admit(Accepted accepted);
  std::optional<Fault> judge_admission(const std::string& address) const;
  void pause_accepting();

  void on_event(Connection& connection);
  void shake_hands(Connection& connection);
  void receive_request(Connection& connection);
  void begin_request(Connection& connection);
  void refuse(Connection& connection, const Fault& fault);
  void end(Connection& connection);
  void throw_away(Connection& connection);
  void drop(Connection& connection);

  void enter(Connection& connection, Phase phase);
  void wait_for(Connection& connection, Readiness wanted);
  Clock::duration time_of(Phase phase) const;
  Connection& adopt(std::unique_ptr<Connection> connection, Phase phase);

  void take_back();
  void end_overdue();
  void on_overdue(Connection& connection);
  void relieve_threads();
  void close_waiting();
  // True where run() is to end.
  bool obey();
  int milliseconds_to_next() const;
  void wake();

  const ServerLimits& limits_;
  TlsContext* const tls_;
  RequestThreads& threads_;
  Descriptor listener_;
  Descriptor epoll_;
  Descriptor wake_;

  // Only run()'s thread looks at these.
  Clock::time_point now_ = Clock::now();
  std::array<ConnectionList, kPhases>
      rooms_;  // By phase; each in the order of deadlines.
  std::unordered_map<std::string, std::size_t> by_address_;
  std::optional<Clock::time_point> accept_again_;
  std::optional<Clock::time_point> end_by_;

  std::atomic<std::size_t> connections_{0};
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::vector<HandedBack> handed_back_;
  bool stop_asked_ = false;
  bool stop_done_ = false;
  std::optional<Clock::time_point> quit_by_;
};

}  // namespace tallyman::http
