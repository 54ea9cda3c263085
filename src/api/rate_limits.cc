#include "api/rate_limits.h"

#include <algorithm>

#include "model/in_quotes.h"

namespace tallyman {
namespace {

constexpr std::chrono::seconds kBurst{1};

}  // namespace

RateLimiter::RateLimiter(std::uint64_t per_second, std::size_t clients_max)
    : per_second_(per_second),
      clients_max_(clients_max),
      interval_(std::chrono::nanoseconds(kBurst) /
                static_cast<std::int64_t>(std::max<std::uint64_t>(per_second, 1))) {}

bool RateLimiter::admit(std::string_view client, Time now) {
  if (per_second_ == 0) return true;
  const std::lock_guard lock(mutex_);
  forget_the_quiet(now);
  Time& due = due_of(client);
  const Time next = std::max(due, now) + interval_;
  if (next - now > kBurst) return false;
  due = next;
  return true;
}

std::size_t RateLimiter::clients() const {
  const std::lock_guard lock(mutex_);
  return recent_.size() + older_.size();
}

void RateLimiter::forget_the_quiet(Time now) {
  if (now - turned_ < kBurst) return;
  older_ = now - turned_ < 2 * kBurst ? std::move(recent_) : Clients();
  recent_ = Clients();
  turned_ = now;
}

RateLimiter::Time& RateLimiter::due_of(std::string_view client) {
  if (const auto found = recent_.find(client); found != recent_.end()) {
    return found->second;
  }
  if (const auto found = older_.find(client); found != older_.end()) {
    return recent_.insert(older_.extract(found)).position->second;
  }
  if (recent_.size() + older_.size() >= clients_max_) return others_;
  return recent_[std::string(client)];
}

Error too_many_requests(std::string_view token, std::uint64_t per_second) {
  return {ErrorCode::kTooMany,
          "the token " + in_quotes(token) + " makes more than " +
              std::to_string(per_second) +
              " requests a second (requests_per_second_per_token_max); wait a second, "
              "and ask for a job's end with \"Prefer: wait\" or its events instead of "
              "its status again and again"};
}

Error too_many_refusals(std::uint64_t per_second) {
  return {ErrorCode::kTooMany,
          "this address makes more than " + std::to_string(per_second) +
              " requests a second without a good token "
              "(refusals_per_second_per_address_max); wait a second, and send a token "
              "that is known here"};
}

}  // namespace tallyman
