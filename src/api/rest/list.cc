// Lists of jobs, newest first, page by page.
#include "api/rest/bodies.h"
#include "api/rest/handlers.h"
#include "api/rest/links.h"
#include "api/rest/list_query.h"
#include "base/json_writer.h"

namespace tallyman::rest {
namespace {

Result<http::Response> list(Call& call, JobFilter filter, std::string_view path) {
  const std::size_t page = filter.limit;
  filter.limit = page + 1;  // One more says whether there is a next page.
  TALLY_TRY_ASSIGN(auto jobs, call.service().list(call.caller, std::move(filter)));
  const bool has_next = jobs.size() > page;
  if (has_next) jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(page), jobs.end());

  std::string body;
  JsonWriter json(body);
  json.begin_object().key("results").begin_array();
  for (const Job& job : jobs) json.raw(listed_body(job));
  json.end_array().key("next");
  has_next ? json.text(next_url(path, call.request.query, jobs.back().number))
           : json.null();
  json.end_object();
  return http::Response::json(200, std::move(body));
}

}  // namespace

Result<http::Response> list_jobs(Call& call) {
  TALLY_TRY_ASSIGN(JobFilter filter, parse_list_query(call.request.query));
  filter.resources = {call.resource};
  return list(call, std::move(filter), resource_path(call.resource, "jobs"));
}

Result<http::Response> list_all_jobs(Call& call) {
  TALLY_TRY_ASSIGN(JobFilter filter, parse_list_query(call.request.query));
  return list(call, std::move(filter), "/api/jobs/");
}

}  // namespace tallyman::rest
