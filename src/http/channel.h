// Channel: blocking reads and writes over a Transport, which end when the peer lags.
//
//   Channel channel(*transport, limits, wait_state);
//   TALLY_TRY_ASSIGN(const std::size_t count, channel.read(buffer));  // 0: the peer
//   ended TALLY_TRY(channel.write(answer));
//
// The rule of lagging is ServerLimits::body_idle_time and transfer_bytes_per_second_min:
// only time spent waiting for the peer counts.
//
// Ownership: transport, limits and state outlive it. Threads: one; cut() from any.
// Errors: kUnavailable; lagged() tells a slow peer from one that is gone.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "http/limits.h"
#include "http/transport.h"

namespace tallyman::http {

// What other threads see of a transfer, and how they end it.
class WaitState {
 public:
  using Clock = std::chrono::steady_clock;

  void begin_wait(Clock::time_point now) {
    waits_since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void end_wait() { waits_since_.store(0, std::memory_order_relaxed); }
  // How long the thread has been waiting for a peer that moves next to nothing; zero
  // while it does not wait.
  Clock::duration waiting_for(Clock::time_point now) const;
  // What was waited for it before this wait.
  void set_waited(Clock::duration waited) {
    waited_.store(waited.count(), std::memory_order_relaxed);
  }

  void cut() { cut_.store(true, std::memory_order_release); }
  bool is_cut() const { return cut_.load(std::memory_order_acquire); }

 private:
  std::atomic<Clock::rep> waits_since_{0};
  std::atomic<Clock::rep> waited_{0};
  std::atomic<bool> cut_{false};
};

class Channel {
 public:
  Channel(Transport& transport, const ServerLimits& limits, WaitState& state)
      : transport_(transport), limits_(limits), state_(state) {
    state_.set_waited({});
  }

  // At least one byte, or 0 where the peer has ended the connection.
  Result<std::size_t> read(std::span<char> into);
  // All of it.
  Result<void> write(std::string_view bytes);

  bool lagged() const { return lagged_; }

 private:
  struct Window {
    std::chrono::steady_clock::duration waited{};
    std::uint64_t bytes = 0;
  };

  Result<void> wait(TransferState wanted, Window& window);
  bool keeps_up(Window& window);
  void moved(std::uint64_t bytes);

  Transport& transport_;
  const ServerLimits& limits_;
  WaitState& state_;
  Window reading_;
  Window writing_;
  // Since as much has moved as transfer_bytes_per_second_min asks for in
  // stalled_time_under_pressure: a byte now and then keeps no thread from those who wait.
  std::chrono::steady_clock::duration stalled_{};
  std::uint64_t moved_bytes_ = 0;
  bool lagged_ = false;
};

}  // namespace tallyman::http
