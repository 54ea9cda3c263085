// A job in steps: create, send data, complete, and what else can be done to it.
#include <array>

#include "api/rest/bodies.h"
#include "api/rest/handlers.h"
#include "api/rest/json_request.h"
#include "api/rest/links.h"
#include "api/rest/request_headers.h"
#include "api/rest/started.h"
#include "api/upload_body.h"

namespace tallyman::rest {
namespace {

const std::array<std::string, 2> kMembersOfItsOwn = {"operation", "content_type"};

Error bad_member(std::string_view name, std::string_view wanted) {
  return {ErrorCode::kInvalidArgument,
          "the member '" + std::string(name) + "' " + std::string(wanted),
          "INVALID_OPTION"};
}

Result<Operation> take_operation(std::vector<SentOption>& members) {
  const auto member = take_member(members, "operation");
  const auto operation = member ? operation_from_name(member->text) : std::nullopt;
  if (!operation) {
    return bad_member("operation",
                      "is needed: insert, upsert, update, replace or delete");
  }
  return *operation;
}

Result<ContentType> take_content_type(std::vector<SentOption>& members) {
  const auto member = take_member(members, "content_type");
  const auto type = member ? content_type_from_name(member->text) : std::nullopt;
  if (!type) {
    return bad_member("content_type",
                      "is needed: text/csv, application/x-ndjson or application/json");
  }
  return *type;
}

Result<std::uint64_t> upload_offset_header(const http::Headers& headers) {
  const auto header = headers.find("Upload-Offset");
  const auto offset = header ? parse_whole_number(*header) : std::nullopt;
  if (offset) return *offset;
  return Error{
      ErrorCode::kInvalidArgument,
      "a part needs the header Upload-Offset, a whole number: how many bytes of the "
      "upload came before it; HEAD on the same path tells it",
      "INVALID_OFFSET"};
}

http::Response at_offset(int status, std::uint64_t offset) {
  http::Response response = http::Response::empty(status);
  response.headers.add("Upload-Offset", std::to_string(offset));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

// Who may start no job at all is told so before the body is looked at.
Result<void> require_any_operation(const Call& call) {
  for (const Operation operation : kAllOperations) {
    if (call.caller.may(call.resource, name(operation))) return {};
  }
  return require_scope(call.caller, call.resource, name(Operation::kInsert));
}

}  // namespace

Result<http::Response> create_job(Call& call) {
  TALLY_TRY(require_any_operation(call));
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const std::string idempotency_key,
                   idempotency_key_of(call.request.headers));
  TALLY_TRY_ASSIGN(auto members, read_json_request(call.request));
  TALLY_TRY(require_known_options(members, kMembersOfItsOwn));
  TALLY_TRY_ASSIGN(const Operation operation, take_operation(members));
  TALLY_TRY_ASSIGN(const ContentType type, take_content_type(members));
  TALLY_TRY_ASSIGN(JobOptions options, read_options(members, type));
  TALLY_TRY_ASSIGN(const Job job, call.service().create(
                                      call.caller, {.resource = call.resource,
                                                    .operation = operation,
                                                    .options = std::move(options),
                                                    .idempotency_key = idempotency_key}));
  http::Response response = http::Response::json(201, created_body(job));
  response.headers.add("Location", job_path(job));
  return response;
}

Result<http::Response> put_data(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  if (!has_body(call.request)) return length_required();
  TALLY_TRY_ASSIGN(const std::uint64_t offset,
                   upload_offset_header(call.request.headers));
  TALLY_TRY_ASSIGN(const UploadBytes bytes,
                   open_upload_bytes(call.request, call.service().settings()));
  TALLY_TRY_ASSIGN(const std::uint64_t reached,
                   call.service().append(call.caller, call.job,
                                         {.offset = offset,
                                          .all_or_nothing = bytes.encoded,
                                          .announced_bytes = bytes.announced},
                                         bytes.source));
  return at_offset(204, reached);
}

Result<http::Response> head_data(Call& call) {
  TALLY_TRY_ASSIGN(const std::uint64_t offset,
                   call.service().upload_offset(call.caller, call.job));
  return at_offset(200, offset);
}

Result<http::Response> complete_job(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const Job job, call.service().complete(call.caller, call.job));
  return started(call, job, completed_body(job));
}

Result<http::Response> abort_job(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const Job job, call.service().abort(call.caller, call.job));
  return http::Response::json(200, listed_body(job));
}

Result<http::Response> retry_job(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const std::string idempotency_key,
                   idempotency_key_of(call.request.headers));
  TALLY_TRY_ASSIGN(const Job child,
                   call.service().retry(call.caller, call.job, idempotency_key));
  return started(call, child, started_body(child));
}

Result<http::Response> delete_job(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY(call.service().remove(call.caller, call.job));
  return http::Response::empty(204);
}

}  // namespace tallyman::rest
