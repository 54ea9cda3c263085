#include "client/retries.h"

#include <algorithm>
#include <charconv>
#include <thread>

namespace tallyman::client {

std::optional<std::chrono::milliseconds> Retries::next(
    std::optional<std::chrono::seconds> retry_after) {
  if (++attempts_ >= policy_.attempts_max) return std::nullopt;
  if (retry_after) {
    if (*retry_after > policy_.retry_after_max) return std::nullopt;
    return std::max<std::chrono::milliseconds>(*retry_after, policy_.first_wait);
  }
  const int doublings = std::min(attempts_ - 1, 16);
  return std::min(policy_.first_wait * (1 << doublings), policy_.wait_max);
}

void Retries::wait(std::chrono::milliseconds time) const {
  if (policy_.sleep) {
    policy_.sleep(time);
  } else {
    std::this_thread::sleep_for(time);
  }
}

std::optional<std::chrono::seconds> retry_after_seconds(std::string_view header) {
  std::int64_t seconds = 0;
  const auto [end, error] =
      std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (error != std::errc() || end != header.data() + header.size() || seconds < 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(seconds);
}

}  // namespace tallyman::client
