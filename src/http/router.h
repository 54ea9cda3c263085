// Router: finds the route of a request in a table of patterns.
//
//   constexpr std::array<Route, 2> kRoutes{{{"GET", "/api/{resource}/jobs/{id}/status"},
//                                           {"POST", "/api/{resource}/jobs"}}};
//   const Router router(kRoutes);
//   const RouteMatch match = router.match("GET", "/api/users/jobs/17/status/");
//   match.route;                // 0
//   match.parameter("id");      // "17"
//
// A path matches with and without its last slash, and with more than one slash in front.
// Where several patterns match, the one with the earliest literal segment wins
// ("/api/jobs" before "/api/{resource}"). A HEAD without a route of its own takes GET's.
//
// Ownership: the table outlives the router, the matched path its parameters.
// Threads: match() from any.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tallyman::http {

struct Route {
  std::string_view method;
  std::string_view
      pattern;  // "/api/{resource}/jobs/{id}"; no slash at the end but in "/".
};

struct RouteMatch {
  enum class Kind { kFound, kNotFound, kMethodNotAllowed };

  Kind kind = Kind::kNotFound;
  std::size_t route = 0;  // kFound: the index in the table.
  // kFound: name and value of each "{name}"; never empty values.
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  std::string allow = {};  // kMethodNotAllowed: the Allow header, "GET, HEAD, PUT".

  // REQUIRES: the pattern has it.
  std::string_view parameter(std::string_view name) const;
};

class Router {
 public:
  // REQUIRES: every pattern begins with a slash, and no two routes of one method match
  // the same paths.
  explicit Router(std::span<const Route> routes);

  RouteMatch match(std::string_view method, std::string_view path) const;

  std::span<const Route> routes() const { return routes_; }

 private:
  struct Compiled {
    std::size_t route;
    std::vector<std::string_view> segments;
  };

  std::span<const Route> routes_;
  // In order of precedence: the first that matches wins.
  std::vector<Compiled> compiled_;
};

}  // namespace tallyman::http
