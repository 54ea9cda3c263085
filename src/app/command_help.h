// What --help says beside the options: examples that can be typed as they stand.
#pragma once

#include <string>
#include <string_view>

namespace tallyman {

// Under the program's own help.
std::string program_help_end();

// Under a command's: "load", "token create". Its examples, a line each.
std::string help_end(std::string_view command);

}  // namespace tallyman
