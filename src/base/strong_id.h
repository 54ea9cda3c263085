// StrongId<Tag>: an integer that cannot be mixed up with another integer.
//
//   using JobId = StrongId<struct JobIdTag>;
//   using BatchId = StrongId<struct BatchIdTag>;
//
// A JobId is made only on purpose (explicit), compares only with a JobId, and
// has no arithmetic: adding two ids means nothing.
#pragma once

#include <compare>
#include <cstdint>

namespace tallyman {

template <class Tag>
class StrongId {
 public:
  explicit constexpr StrongId(std::int64_t value) : value_(value) {}

  constexpr std::int64_t value() const { return value_; }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  std::int64_t value_;
};

}  // namespace tallyman
