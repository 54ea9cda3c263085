// One line in the log for each request, written when its answer has been made or, of a
// streamed one, has ended:
//
//   request method=GET route=/api/{resource}/jobs/{job}/status status=200 bytes=612
//           milliseconds=1.2 token=nightly end=whole
//
// The route's pattern stands for the path, and the query is left out: both may hold what
// only the sender should see.
//
// Ownership: the clock outlives the response.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "http/message.h"

namespace tallyman {

struct AccessEntry {
  std::string method;
  std::string route;  // "-" where no route matched.
  std::string token;  // Its name; "-" where there was none.
  std::chrono::steady_clock::time_point started;
};

// Logs now, or wraps the response's stream so that its end is logged.
http::Response with_access_log(http::Response response, AccessEntry entry,
                               const Clock& clock);

}  // namespace tallyman
