// How what a client asks for is written: paths, the JSON of a job in steps, the query of
// a job in one request.
//
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "client/answers.h"
#include "model/job.h"
#include "model/operation.h"

namespace tallyman::client {

// "/api/people/jobs/550e.../" and `action`: "status/", or empty.
std::string job_path(const JobReference& job, std::string_view action);

// {"operation": "insert", "content_type": "text/csv", ...}
std::string to_job_json(Operation operation, const JobOptions& options);

// "POST", "PATCH", "PUT" or "DELETE".
std::string_view method_of(Operation operation);

// "?unique_fields=a,b&mode=atomic", or empty.
std::string to_query(const JobOptions& options);

}  // namespace tallyman::client
