// Random: where ids and tokens come from, as a seam, so that a seed replays a run.
//
// Threads: fill() may be called from any thread.
#pragma once

#include <cstdint>
#include <span>

namespace tallyman {

class Random {
 public:
  virtual ~Random() = default;
  // Fills `bytes` with unpredictable bytes.
  virtual void fill(std::span<std::uint8_t> bytes) = 0;

  std::uint64_t number();
};

// The operating system's generator, by libsodium.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  void fill(std::span<std::uint8_t> bytes) override;
};

}  // namespace tallyman
