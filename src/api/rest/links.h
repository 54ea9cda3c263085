// Paths of the REST face, as answers name them: with the last slash, percent-encoded.
//
//   job_path(job, "status")  ->  "/api/transactions/jobs/0190.../status/"
#pragma once

#include <string>
#include <string_view>

#include "model/job.h"

namespace tallyman::rest {

// All bytes but unreserved ones (RFC 3986, section 2.3) as %XX.
std::string percent_encode(std::string_view text);

std::string resource_path(std::string_view resource, std::string_view tail);
// An empty `tail` is the job itself.
std::string job_path(const Job& job, std::string_view tail = {});

}  // namespace tallyman::rest
