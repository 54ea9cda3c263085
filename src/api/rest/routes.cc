#include "api/rest/routes.h"

#include <array>

#include "api/rest/handlers.h"
#include "base/check.h"
#include "http/router.h"

namespace tallyman::rest {
namespace {

constexpr auto kRoutes = std::to_array<Route>({
    {"GET", "/healthz", health, Access::kPublic},
    {"GET", "/readyz", readiness, Access::kPublic},
    {"GET", "/api", list_resources, Access::kToken},
    {"GET", "/api/jobs", list_all_jobs, Access::kToken},

    {"GET", "/api/{resource}/schema", resource_schema, Access::kSee},
    {"GET", "/api/{resource}/template.csv", resource_template, Access::kSee},

    {"POST", "/api/{resource}/bulk/v2", bulk_insert, Access::kOperation},
    {"PATCH", "/api/{resource}/bulk/v2", bulk_update_or_upsert, Access::kOperation},
    {"PUT", "/api/{resource}/bulk/v2", bulk_replace, Access::kOperation},
    {"DELETE", "/api/{resource}/bulk/v2", bulk_delete, Access::kOperation},
    {"POST", "/api/{resource}/bulk/v2/aggregates", request_aggregates, Access::kRead},

    {"GET", "/api/{resource}/jobs", list_jobs, Access::kRead},
    {"POST", "/api/{resource}/jobs", create_job, Access::kOperation},
    {"GET", "/api/{resource}/jobs/{job}", job_status, Access::kRead},
    {"DELETE", "/api/{resource}/jobs/{job}", delete_job, Access::kOperation},
    {"PUT", "/api/{resource}/jobs/{job}/data", put_data, Access::kOperation},
    {"HEAD", "/api/{resource}/jobs/{job}/data", head_data, Access::kOperation},
    {"POST", "/api/{resource}/jobs/{job}/complete", complete_job, Access::kOperation},
    {"POST", "/api/{resource}/jobs/{job}/abort", abort_job, Access::kOperation},
    {"POST", "/api/{resource}/jobs/{job}/retry", retry_job, Access::kOperation},
    {"GET", "/api/{resource}/jobs/{job}/status", job_status, Access::kRead},
    {"GET", "/api/{resource}/jobs/{job}/history", job_history, Access::kRead},
    {"GET", "/api/{resource}/jobs/{job}/events", job_events, Access::kRead},
    {"GET", "/api/{resource}/jobs/{job}/results", job_results, Access::kRead},
    {"GET", "/api/{resource}/jobs/{job}/aggregates", job_aggregates, Access::kRead},
});

constexpr auto kPatterns = [] {
  std::array<http::Route, kRoutes.size()> patterns{};
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    patterns[i] = {kRoutes[i].method, kRoutes[i].pattern};
  }
  return patterns;
}();

std::string_view parameter(const http::RouteMatch& match, std::string_view name) {
  for (const auto& [key, value] : match.parameters) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

std::string_view name(Access access) {
  switch (access) {
    case Access::kPublic: return "nothing";
    case Access::kToken: return "token";
    case Access::kSee: return "resource";
    case Access::kRead: return "read";
    case Access::kOperation: return "operation";
  }
  CHECK(false);
}

std::span<const Route> routes() { return kRoutes; }

RouteMatch match_route(std::string_view method, std::string_view path) {
  static const http::Router router(kPatterns);
  http::RouteMatch match = router.match(method, path);
  if (match.kind != http::RouteMatch::Kind::kFound)
    return {.allow = std::move(match.allow)};
  return {.route = &kRoutes[match.route],
          .resource = parameter(match, "resource"),
          .job = parameter(match, "job")};
}

}  // namespace tallyman::rest
