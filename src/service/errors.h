// The refusals that several calls of the service share.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/job.h"

namespace tallyman {

// INVALID_STATE: `action` ("take data") is not possible in the job's state.
inline Error invalid_state(const Job& job, std::string_view action,
                           std::string_view next_step) {
  return {ErrorCode::kConflict,
          "job " + job.id.to_string() + " is " + std::string(name(job.state)) +
              " and cannot " + std::string(action) + "; " + std::string(next_step),
          "INVALID_STATE"};
}

inline Error no_such_job(const JobId& id) {
  return {ErrorCode::kNotFound,
          "there is no job " + id.to_string() + "; GET /api/jobs/ lists yours",
          "UNKNOWN_JOB"};
}

inline Error results_expired(const Job& job) {
  return {ErrorCode::kGone,
          "the results of job " + job.id.to_string() +
              " are past their retention; its status and history remain",
          "RESULTS_EXPIRED"};
}

}  // namespace tallyman
