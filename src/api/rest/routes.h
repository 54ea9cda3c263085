// All routes of the REST face, as one table.
//
//   const RouteMatch match = match_route("GET", "/api/people/jobs/");
//   match.route->handler; match.resource  ->  list_jobs, "people"
//
// Every path is taken with and without its last slash, and HEAD wherever GET is.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/rest/call.h"

namespace tallyman::rest {

// What a request needs beside a path.
enum class Access : std::uint8_t {
  kPublic,     // Nothing.
  kToken,      // A token; the answer holds only what it may see.
  kSee,        // Any scope on the resource.
  kRead,       // "<resource>:read", and for {job} to own the job.
  kOperation,  // "<resource>:<operation of the job>", and for {job} to own the job.
};

// "nothing", "token", "resource", "read", "operation": what `tallyman routes` prints.
std::string_view name(Access access);

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/api/{resource}/jobs/{job}/status"
  Handler handler;
  Access access;
};

std::span<const Route> routes();

struct RouteMatch {
  const Route* route = nullptr;    // Null: no such path, or not with this method.
  std::string_view resource = {};  // Parts of the path; empty where the pattern has none.
  std::string_view job = {};
  std::string allow = {};  // Of a path without that method: its methods, "GET, HEAD".
};

// Views into `path`.
RouteMatch match_route(std::string_view method, std::string_view path);

}  // namespace tallyman::rest
