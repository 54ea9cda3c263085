#include "base/random.h"

#include <sodium.h>

#include <cstring>

#include "base/check.h"

namespace tallyman {

std::uint64_t Random::number() {
  std::uint8_t bytes[8];
  fill(bytes);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

SystemRandom::SystemRandom() { CHECK(sodium_init() >= 0); }

void SystemRandom::fill(std::span<std::uint8_t> bytes) {
  randombytes_buf(bytes.data(), bytes.size());
}

}  // namespace tallyman
