// Call: one request that has found its route, as a handler of the REST face sees it.
//
//   Result<http::Response> abort_job(Call& call) {
//     TALLY_TRY_ASSIGN(const Job job, call.service().abort(call.caller, call.job));
//     ...
//   }
//
// A handler gives the answer, or an Error that is turned into one (api/errors.h).
//
// Ownership: looks only; a streamed answer must copy what it needs, but may keep `parts`.
// Threads:   one.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/auth.h"
#include "api/rate_limits.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"
#include "service/job_service.h"

namespace tallyman {

// What the REST face is made of. All of it outlives the face.
struct RestParts {
  JobService& service;
  TokenStore& tokens;
  Clock& clock;
  // /readyz: an error where the database does not answer.
  std::function<Result<void>()> database_answers;
  RateLimits rates = {};
};

}  // namespace tallyman

namespace tallyman::rest {

struct Call {
  const RestParts& parts;
  http::Request& request;
  Caller caller;         // Of a public route: nobody.
  std::string resource;  // Of a path with {resource}: exposed, and the caller may see it.
  JobReference job;      // Of a path with {job}.

  JobService& service() const { return parts.service; }
};

// What is not an id, and what is the id of nobody's or another's job, is answered alike.
Error unknown_job(std::string_view id);

using Handler = Result<http::Response> (*)(Call&);

}  // namespace tallyman::rest
