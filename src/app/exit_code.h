// What the program ends with.
//
//   0  all is well
//   1  the job is complete, but some of its records failed
//   2  the job or the call failed
#pragma once

#include "client/answers.h"

namespace tallyman {

inline constexpr int kExitWell = 0;
inline constexpr int kExitRecordsFailed = 1;
inline constexpr int kExitFailed = 2;

// Of a job that was waited for. REQUIRES: it has ended.
int exit_code_of(const client::JobStatus& status);

}  // namespace tallyman
