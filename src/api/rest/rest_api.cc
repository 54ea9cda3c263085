#include "api/rest/rest_api.h"

#include <algorithm>
#include <exception>

#include "api/access_log.h"
#include "api/errors.h"
#include "api/rest/options.h"
#include "api/rest/routes.h"
#include "base/json_writer.h"
#include "base/log.h"

namespace tallyman {
namespace rest {

Error unknown_job(std::string_view id) {
  return {ErrorCode::kNotFound,
          "there is no job " + std::string(id) + "; GET /api/jobs/ lists yours",
          "UNKNOWN_JOB"};
}

namespace {

http::Response refuse_path(const RouteMatch& match, const http::Request& request) {
  if (match.allow.empty()) {
    return error_response(
        {ErrorCode::kNotFound,
         "there is no path " + request.path + "; GET /api/ lists resources",
         "UNKNOWN_PATH"});
  }
  http::Response response = error_response(
      405, "METHOD_NOT_ALLOWED",
      request.path + " does not take " + request.method + "; it takes " + match.allow);
  response.headers.add("Allow", match.allow);
  return response;
}

Result<void> require_visible(const Call& call) {
  std::vector<std::string> names = call.service().parts().catalog.names();
  std::erase_if(names,
                [&](const std::string& name) { return !call.caller.may_see(name); });
  if (std::find(names.begin(), names.end(), call.resource) != names.end()) return {};
  const std::string next_step =
      names.empty() ? "; this token may use none" : suggestion(call.resource, names);
  return Error{ErrorCode::kNotFound,
               "there is no resource '" + call.resource + "'" + next_step,
               "UNKNOWN_RESOURCE"};
}

// A job that is another's is not there; only then does the scope matter.
Result<void> require_job(const Call& call, Access access) {
  const auto job = call.service().parts().jobs.find(call.job.id);
  if (!job.ok() && job.error().code != ErrorCode::kNotFound) return job.error();
  const bool is_visible =
      job.ok() && job.value().resource == call.resource &&
      (call.caller.is_admin() || job.value().owner == call.caller.owner);
  if (!is_visible) return unknown_job(call.job.id.to_string());
  return require_scope(call.caller, call.resource,
                       access == Access::kRead ? "read" : name(job.value().operation));
}

// Of two lines of one of these the first would be taken, and a proxy may have judged the
// other. (Of two Content-Encodings both would have to be taken off.)
Result<void> require_single_headers(const http::Headers& headers) {
  for (const char* name : {"Content-Type", "Content-Encoding", "Idempotency-Key",
                           "Upload-Offset", "Last-Event-ID"}) {
    if (headers.count(name) < 2) continue;
    return Error{ErrorCode::kInvalidArgument,
                 "the header " + std::string(name) + " is there twice; send it once",
                 "INVALID_HEADER"};
  }
  return {};
}

Result<http::Response> dispatch(Call& call, const RouteMatch& match) {
  if (!match.resource.empty()) {
    call.resource = match.resource;
    call.job.resource = match.resource;
    TALLY_TRY(require_visible(call));
  }
  if (!match.job.empty()) {
    const auto id = Uuid::parse(match.job);
    if (!id) return unknown_job(match.job);
    call.job.id = JobId(*id);
    TALLY_TRY(require_job(call, match.route->access));
  } else if (match.route->access == Access::kRead) {
    TALLY_TRY(require_scope(call.caller, call.resource, "read"));
  }
  TALLY_TRY(require_single_headers(call.request.headers));
  return match.route->handler(call);
}

http::Response refuse_entry(const Error& error) {
  http::Response response = error_response(error);
  // A rate has room again within a second.
  if (error.code == ErrorCode::kTooMany) response.headers.set("Retry-After", "1");
  return response;
}

// What a client needs to go on, beside the sentence.
http::Response refuse(const Call& call, const Error& error) {
  if (error.detail_code == "INVALID_STATE") {
    const auto job = call.service().parts().jobs.find(call.job.id);
    if (!job.ok()) return error_response(error);
    std::string state;
    append_json_string(state, name(job.value().state));
    return error_response(error, {{"state", state}});
  }
  if (error.detail_code == "WRONG_OFFSET") {
    const auto offset = call.service().upload_offset(call.caller, call.job);
    if (!offset.ok()) return error_response(error);
    const std::string right = std::to_string(offset.value());
    http::Response response = error_response(error, {{"offset", right}});
    response.headers.add("Upload-Offset", right);
    return response;
  }
  return error_response(error);
}

http::Response answer(Call& call, const RouteMatch& match) {
  try {
    Result<http::Response> response = dispatch(call, match);
    return response.ok() ? std::move(response).value() : refuse(call, response.error());
  } catch (const std::exception& exception) {
    // The text of a library's exception may quote what it was given.
    log_error("exception", {{"route", std::string(match.route->pattern)},
                            {"type", typeid(exception).name()}});
    return error_response({ErrorCode::kInternal, "an exception"});
  }
}

}  // namespace
}  // namespace rest

// The token is looked up even where its address has been refused too often: behind that
// address may be others, whose tokens are good.
Result<Caller> RestApi::admit(const http::Request& request) const {
  Result<Caller> caller = authenticator_.authenticate(request.headers);
  const auto now = parts_.clock.steady();
  if (caller.ok()) {
    const std::string& token = caller.value().name;
    if (requests_.admit(token, now)) return caller;
    return too_many_requests(token, parts_.rates.requests_per_token);
  }
  const bool is_refusal = caller.error().code == ErrorCode::kUnauthenticated;
  if (!is_refusal || refusals_.admit(request.remote_address, now)) return caller;
  return too_many_refusals(parts_.rates.refusals_per_address);
}

http::Response RestApi::handle(http::Request& request) const {
  using namespace rest;
  const RouteMatch match = match_route(request.method, request.path);
  AccessEntry entry{.method = request.method,
                    .route = match.route ? std::string(match.route->pattern) : "-",
                    .token = "-",
                    .started = parts_.clock.steady()};
  Call call{.parts = parts_,
            .request = request,
            .caller = {},
            .resource = {},
            .job = {.resource = {}, .id = JobId(Uuid())}};
  const auto logged = [&](http::Response response) {
    return with_access_log(std::move(response), std::move(entry), parts_.clock);
  };

  if (!match.route || match.route->access != Access::kPublic) {
    Result<Caller> caller = admit(request);
    if (!caller.ok()) return logged(refuse_entry(caller.error()));
    call.caller = std::move(caller).value();
    entry.token = call.caller.name;
  }
  if (!match.route) return logged(refuse_path(match, request));
  return logged(answer(call, match));
}

}  // namespace tallyman
