#include "app/exit_code.h"

#include "base/check.h"

namespace tallyman {

int exit_code_of(const client::JobStatus& status) {
  CHECK(is_terminal(status.state));
  if (status.state != JobState::kJobComplete || !status.verified) return kExitFailed;
  return status.failed == 0 ? kExitWell : kExitRecordsFailed;
}

}  // namespace tallyman
