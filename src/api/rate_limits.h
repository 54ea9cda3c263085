// RateLimiter: how many requests a second each client may make.
//
//   RateLimiter limiter(limits::kRequestsPerSecondPerTokenMax, kCountedClientsMax);
//   if (!limiter.admit(token_name, clock.steady())) return too_many_requests(...);
//
// A client that was quiet for a second may make a second's worth at once; after that one
// request each 1/rate seconds. (The rule is GCRA, ITU-T I.371: one time is kept for each
// client, that at which all its requests would have come at the exact rate.)
//
// Threads: any. Time: the same for any number of clients.
// Memory:  about 100 bytes for each client of the last two seconds; above `clients_max`
//          new clients share one count, so that nobody gets past the rate by being many.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "model/limits.h"

namespace tallyman {

// Requests a second; 0: any number.
struct RateLimits {
  std::uint64_t requests_per_token = limits::kRequestsPerSecondPerTokenMax;
  // Of an address without a good token.
  std::uint64_t refusals_per_address = limits::kRefusalsPerSecondPerAddressMax;
};

class RateLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit RateLimiter(std::uint64_t per_second,
                       std::size_t clients_max = limits::kCountedClientsMax);

  // False: this request is one too many, and does not count.
  bool admit(std::string_view client, Time now);

  std::size_t clients() const;  // Counted now.

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  using Clients = std::unordered_map<std::string, Time, Hash, std::equal_to<>>;

  void forget_the_quiet(Time now);
  Time& due_of(std::string_view client);

  const std::uint64_t per_second_;
  const std::size_t clients_max_;
  const std::chrono::nanoseconds interval_;
  mutable std::mutex mutex_;  // Guards all below.
  // When each client's requests so far are due. Who has made none for a second is as one
  // who never made any: every second the older half is dropped.
  Clients recent_;
  Clients older_;
  Time turned_{};
  Time others_{};  // Of all clients above clients_max_.
};

// TOO_MANY_REQUESTS: 429. It may be tried again after a second.
Error too_many_requests(std::string_view token, std::uint64_t per_second);
Error too_many_refusals(std::uint64_t per_second);

}  // namespace tallyman
