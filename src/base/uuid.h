// Uuid: 128 bits, written as 8-4-4-4-12 lower-case hex digits.
//
// New ones are version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then
// random bits, so that ids made later sort later.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace tallyman {

class Uuid {
 public:
  constexpr Uuid() = default;
  explicit constexpr Uuid(std::array<std::uint8_t, 16> bytes) : bytes_(bytes) {}

  static Uuid make_v7(Timestamp now, Random& random);

  // Nothing unless `text` is exactly the written form, in lower case.
  static std::optional<Uuid> parse(std::string_view text);

  std::string to_string() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace tallyman
