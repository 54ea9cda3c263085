#include "api/rest/started.h"

#include "api/rest/bodies.h"
#include "api/rest/links.h"
#include "api/rest/request_headers.h"

namespace tallyman::rest {
namespace {

std::optional<std::string> status_at_end(Call& call, const Job& job,
                                         std::chrono::seconds wait) {
  const JobReference reference{.resource = job.resource, .id = job.id};
  const auto waited = call.service().wait_for_end(call.caller, reference, wait);
  if (!waited.ok() || !is_terminal(waited.value().state)) return std::nullopt;
  const auto status = call.service().status(call.caller, reference);
  if (!status.ok()) return std::nullopt;
  return status_body(status.value());
}

}  // namespace

http::Response started(Call& call, const Job& job, std::string body) {
  http::Response response = http::Response::json(202, std::move(body));
  const auto prefer = call.request.headers.find("Prefer");
  const auto wait = prefer ? preferred_wait(*prefer) : std::nullopt;
  if (wait && call.caller.may(job.resource, "read")) {
    if (auto status = status_at_end(call, job, *wait)) {
      response = http::Response::json(200, *std::move(status));
      response.headers.add("Preference-Applied", "wait=" + std::to_string(wait->count()));
    }
  }
  response.headers.add("Location", job_path(job, "status"));
  return response;
}

}  // namespace tallyman::rest
