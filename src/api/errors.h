// What went wrong, as an HTTP answer.
//
//   if (!job.ok()) return error_response(job.error());
//   -> 409 {"error":"job 0190...: ...","code":"INVALID_STATE","state":"Job Complete"}
//
// Error::detail_code is the "code" where it is set, else the one of the ErrorCode. 401
// has WWW-Authenticate, 429 and 503 have Retry-After. The text of kInternal goes to the
// log, not to the client: it may speak of files and statements.
//
// Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/message.h"

namespace tallyman {

// Members beside "error" and "code": a name and its JSON value.
using ErrorMembers = std::vector<std::pair<std::string, std::string>>;

// After how long a client that met 429 or 503 may ask again.
inline constexpr int kRetryAfterSeconds = 5;

int http_status(ErrorCode code);
std::string_view stable_code(ErrorCode code);  // "NOT_FOUND"

http::Response error_response(const Error& error, const ErrorMembers& members = {});

// For what no ErrorCode stands for: 405, 406, 411.
http::Response error_response(int status, std::string_view code,
                              std::string_view message);

}  // namespace tallyman
