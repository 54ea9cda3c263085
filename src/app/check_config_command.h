// `tallyman check-config`: every mistake of a configuration, with its file and line.
#pragma once

#include "app/command_line.h"
#include "app/console.h"

namespace tallyman {

// The program's exit code: kExitFailed where there is a mistake.
int run_check_config(const CheckConfigCommand& command, Console& console);

}  // namespace tallyman
