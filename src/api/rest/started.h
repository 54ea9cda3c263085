// The answer to a request that has put a job on its way.
//
//   return started(call, job, started_body(job));
//
// 202 with `body` and Location. With "Prefer: wait=N" and the scope to read: once the job
// has ended in that time, 200 with its status and Preference-Applied. The job is under
// way whatever happens here, so nothing that goes wrong while waiting is an error.
#pragma once

#include <string>

#include "api/rest/call.h"

namespace tallyman::rest {

http::Response started(Call& call, const Job& job, std::string body);

}  // namespace tallyman::rest
