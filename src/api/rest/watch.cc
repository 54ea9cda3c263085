// What became of a job: its status and its history.
#include "api/rest/bodies.h"
#include "api/rest/handlers.h"
#include "api/rest/options.h"

namespace tallyman::rest {

Result<http::Response> job_status(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const JobStatus status, call.service().status(call.caller, call.job));
  return http::Response::json(200, status_body(status));
}

Result<http::Response> job_history(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const auto history, call.service().history(call.caller, call.job));
  return http::Response::json(200, history_body(call.job.id, history));
}

}  // namespace tallyman::rest
