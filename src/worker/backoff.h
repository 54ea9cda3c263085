// Backoff: how long to wait before what failed for a passing reason is tried again.
//
// Doubles from 20 ms to 5 s, each time somewhere between half and the whole of it, so
// that workers that failed together do not come back together.
//
// Threads: one.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/random.h"

namespace tallyman {

class Backoff {
 public:
  explicit Backoff(Random& random) : random_(random) {}

  std::chrono::milliseconds next() {
    const std::int64_t whole = std::min<std::int64_t>(kFirst << tries_, kLongest);
    if (tries_ < 16) ++tries_;
    const auto part = static_cast<std::int64_t>(random_.number() % 1024);
    return std::chrono::milliseconds(whole / 2 + whole * part / 2048);
  }

  void reset() { tries_ = 0; }

 private:
  static constexpr std::int64_t kFirst = 20;      // Milliseconds.
  static constexpr std::int64_t kLongest = 5000;  // Milliseconds.

  Random& random_;
  int tries_ = 0;
};

}  // namespace tallyman
