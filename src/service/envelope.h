// The enveloped form of a JSON upload: {"data": [...], "unique_fields": ...,
// "update_fields": ...}.
#pragma once

#include <string_view>

#include "base/result.h"
#include "service/job_service.h"

namespace tallyman {

// Puts the envelope's members into the request. kInvalidArgument names a member that is
// unknown or not a list of field names (one name alone will do).
Result<void> apply_envelope(std::string_view envelope, JobRequest& request);

}  // namespace tallyman
