// Console: where a command writes, as a seam.
//
// Standard output gets what another program may want (a token, a job's id, results,
// JSON); what is said to a person goes to standard error.
#pragma once

#include <ostream>

#include "base/clock.h"

namespace tallyman {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal = false;  // A progress bar may redraw its line there.
  const Clock& clock;
};

}  // namespace tallyman
