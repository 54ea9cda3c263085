// The configuration that the options of `tallyman serve` or `work` come to: the file's,
// or one made of the command line, with the command line's settings in place of the
// file's.
#pragma once

#include "app/config.h"
#include "app/serve.h"

namespace tallyman {

// Mistakes of the file have their lines; those of the command line are at line 0.
ConfigReading read_serve_config(const ServeOptions& options);
ConfigReading read_work_config(const WorkOptions& options);

}  // namespace tallyman
