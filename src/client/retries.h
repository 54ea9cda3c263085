// Retries: how long to wait before a call is tried again, and when to give up.
//
//   Retries retries(policy);
//   while (true) {
//     ...
//     const auto wait = retries.next(reply_says_retry_after);
//     if (!wait) return error;
//     policy.sleep(*wait);
//   }
//
// Each wait is twice the one before, unless the server says how long (Retry-After).
//
// Threads: one.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

namespace tallyman::client {

struct RetryPolicy {
  int attempts_max = 12;  // About a minute in all: a server is restarted in that time.
  std::chrono::milliseconds first_wait{250};
  std::chrono::milliseconds wait_max{8'000};
  // A server that asks for more than this is not waited for.
  std::chrono::seconds retry_after_max{120};
  std::function<void(std::chrono::milliseconds)> sleep;  // Empty: really sleeps.
};

class Retries {
 public:
  explicit Retries(const RetryPolicy& policy) : policy_(policy) {}

  // How long to wait before the next attempt; nothing when it is time to give up.
  std::optional<std::chrono::milliseconds> next(
      std::optional<std::chrono::seconds> retry_after);

  // Waits that long.
  void wait(std::chrono::milliseconds time) const;

  // Something went forward: the count starts again.
  void reset() { attempts_ = 0; }

 private:
  const RetryPolicy& policy_;
  int attempts_ = 0;
};

// Seconds of a Retry-After header (its form as a date is passed over).
std::optional<std::chrono::seconds> retry_after_seconds(std::string_view header);

}  // namespace tallyman::client
