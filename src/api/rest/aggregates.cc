// Aggregates over a job's rows: asking for them, and reading what was asked for.
#include <algorithm>
#include <array>

#include "api/rest/handlers.h"
#include "api/rest/json_request.h"
#include "api/rest/links.h"
#include "base/json_writer.h"
#include "base/time_text.h"

namespace tallyman::rest {
namespace {

Error bad_member(std::string_view name, std::string_view wanted) {
  return {ErrorCode::kInvalidArgument,
          "the member '" + std::string(name) + "' " + std::string(wanted),
          "INVALID_OPTION"};
}

struct AggregateRequest {
  std::string job_id;
  std::string aggregates;  // JSON.
};

Result<AggregateRequest> read_request(http::Request& request) {
  TALLY_TRY_ASSIGN(auto members, read_json_request(request));
  const auto job_id = take_member(members, "job_id");
  const auto aggregates = take_member(members, "aggregates");
  if (!members.empty()) {
    const std::array<std::string, 2> known = {"job_id", "aggregates"};
    return bad_member(members.front().name,
                      "is not known here" + suggestion(members.front().name, known));
  }
  if (!job_id)
    return bad_member("job_id", "is needed: the id of a job that is Job Complete");
  if (!aggregates || !aggregates->text.starts_with('{')) {
    return bad_member(
        "aggregates",
        "is needed: an object of definitions by name, as in {\"total\": {\"type\": "
        "\"sum\", \"field\": \"amount\"}}");
  }
  return AggregateRequest{job_id->text, aggregates->text};
}

http::Response still_computing(const JobId& id, const std::string& url) {
  std::string body;
  JsonWriter(body)
      .begin_object()
      .key("message")
      .text("The aggregates are being computed; ask again at status_url")
      .key("job_id")
      .text(id.to_string())
      .key("status_url")
      .text(url)
      .end_object();
  http::Response response = http::Response::json(202, std::move(body));
  response.headers.add("Location", url);
  response.headers.add("Retry-After", "1");
  return response;
}

// The oldest moment is the one that holds for all of them.
std::optional<Timestamp> as_of(const std::vector<StoredAggregate>& aggregates) {
  std::optional<Timestamp> oldest;
  for (const StoredAggregate& aggregate : aggregates) {
    if (aggregate.as_of && (!oldest || *aggregate.as_of < *oldest))
      oldest = aggregate.as_of;
  }
  return oldest;
}

std::string answer_body(const JobId& id, const AggregatesAnswer& answer) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("job_id").text(id.to_string());
  json.key("aggregate_results").begin_object();
  for (const StoredAggregate& aggregate : answer.aggregates) {
    if (aggregate.error.empty()) json.key(aggregate.name).raw(aggregate.value);
  }
  json.end_object();
  const bool some_failed = std::any_of(
      answer.aggregates.begin(), answer.aggregates.end(),
      [](const StoredAggregate& aggregate) { return !aggregate.error.empty(); });
  if (some_failed) {
    json.key("aggregate_errors").begin_object();
    for (const StoredAggregate& aggregate : answer.aggregates) {
      if (!aggregate.error.empty()) json.key(aggregate.name).text(aggregate.error);
    }
    json.end_object();
  }
  json.key("as_of");
  const auto moment = as_of(answer.aggregates);
  moment ? json.text(to_rfc3339(*moment)) : json.null();
  json.key("changed_since").boolean(answer.changed_since).end_object();
  return body;
}

http::Response answer_response(const Call& call, const JobId& id,
                               const AggregatesAnswer& answer) {
  if (answer.complete) return http::Response::json(200, answer_body(id, answer));
  const std::string jobs = "jobs/" + id.to_string() + "/aggregates";
  return still_computing(id, resource_path(call.resource, jobs));
}

}  // namespace

Result<http::Response> request_aggregates(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const AggregateRequest request, read_request(call.request));
  const auto uuid = Uuid::parse(request.job_id);
  if (!uuid) return unknown_job(request.job_id);
  call.job.id = JobId(*uuid);
  TALLY_TRY(call.service().find(call.caller, call.job));
  TALLY_TRY_ASSIGN(const auto answer, call.service().request_aggregates(
                                          call.caller, call.job.id, request.aggregates));
  return answer_response(call, call.job.id, answer);
}

Result<http::Response> job_aggregates(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const auto answer,
                   call.service().find_aggregates(call.caller, call.job));
  return answer_response(call, call.job.id, answer);
}

}  // namespace tallyman::rest
