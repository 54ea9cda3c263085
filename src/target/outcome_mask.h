// Sets of outcomes: which records a row is named by.
//
//   if (row.outcomes & mask_of(Outcome::kCreated)) ...
//
// Threads: any.
#pragma once

#include <cstdint>

#include "model/outcome.h"

namespace tallyman {

using OutcomeMask = std::uint8_t;  // A bit for each Outcome.
constexpr OutcomeMask mask_of(Outcome outcome) {
  return static_cast<OutcomeMask>(1U << static_cast<unsigned>(outcome));
}
// What names a row that should be there.
inline constexpr OutcomeMask kWritten = mask_of(Outcome::kCreated) |
                                        mask_of(Outcome::kUpdated) |
                                        mask_of(Outcome::kUnchanged);

}  // namespace tallyman
