// `tallyman migrate`: makes the tables of ours in a database, or brings them up to this
// program's version. Twice is the same as once.
#pragma once

#include "app/command_line.h"
#include "app/console.h"

namespace tallyman {

// The program's exit code.
int run_migrate(const MigrateCommand& command, Console& console);

}  // namespace tallyman
