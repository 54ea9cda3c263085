// Clock: what time it is, as a seam, so that a test can say what time it is.
//
// Threads: now() and steady() may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tallyman {

// Wall time in UTC, whole microseconds: what is stored and shown.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  // Never goes back; for deadlines and rates only.
  virtual std::chrono::steady_clock::time_point steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
  }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }
};

// Microseconds since 1970-01-01T00:00:00Z, the form in which databases keep a Timestamp.
constexpr std::int64_t to_micros(Timestamp time) {
  return time.time_since_epoch().count();
}
constexpr Timestamp from_micros(std::int64_t micros) {
  return Timestamp(std::chrono::microseconds(micros));
}

}  // namespace tallyman
