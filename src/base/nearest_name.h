// nearest_name: the known name that a wrong one was probably meant to be.
//
//   nearest_name("amout", {"id", "amount"})  ->  "amount"
//
// For error messages: "no field "amout"; did you mean "amount"?".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tallyman {

// The name of `known` with the fewest letters to add, drop, change or swap, ASCII case
// aside; the first of several. Nothing where more than a third of the letters is wrong.
// Names longer than 128 bytes have no neighbours (the work is bounded).
std::optional<std::string> nearest_name(std::string_view name,
                                        std::span<const std::string> known);

}  // namespace tallyman
