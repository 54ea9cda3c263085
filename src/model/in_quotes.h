// A client's name inside an error message.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tallyman {

// The name in quotes; a long one is cut, so that no message is as long as a request.
std::string in_quotes(std::string_view name);

// "; did you mean "amount"?", or nothing where no known name is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

}  // namespace tallyman
