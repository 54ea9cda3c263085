// A job in one request.
#include "api/rest/bodies.h"
#include "api/rest/handlers.h"
#include "api/rest/options.h"
#include "api/rest/request_headers.h"
#include "api/rest/started.h"
#include "api/upload_body.h"

namespace tallyman::rest {
namespace {

struct Wanted {
  Operation operation;
  // An update becomes an upsert where unique_fields come: in the query, or with the body.
  bool may_become_upsert = false;
};

Result<http::Response> start(Call& call, Wanted wanted) {
  if (wanted.may_become_upsert && call.request.parameter("unique_fields")) {
    wanted = {Operation::kUpsert};
  }
  TALLY_TRY(require_scope(call.caller, call.resource, name(wanted.operation)));
  if (!has_body(call.request)) return length_required();
  std::vector<SentOption> sent = options_of_query(call.request.query);
  TALLY_TRY(require_known_options(sent, {}));
  TALLY_TRY_ASSIGN(std::string idempotency_key, idempotency_key_of(call.request.headers));
  TALLY_TRY_ASSIGN(const UploadFile file,
                   open_upload_file(call.request, call.service().settings()));
  for (const auto& [name, value] : file.fields)
    sent.push_back({.name = name, .text = value});
  TALLY_TRY_ASSIGN(JobOptions options, read_options(sent, file.type));

  if (wanted.may_become_upsert && !options.unique_fields.empty()) {
    wanted = {Operation::kUpsert};
  }
  if (wanted.operation != Operation::kUpsert && options.update_fields) {
    return Error{ErrorCode::kInvalidArgument,
                 "option 'update_fields': is for an upsert; send 'unique_fields' with it",
                 "INVALID_OPTION"};
  }
  TALLY_TRY_ASSIGN(
      const Job job,
      call.service().submit(call.caller,
                            {.resource = call.resource,
                             .operation = wanted.operation,
                             .options = std::move(options),
                             .idempotency_key = std::move(idempotency_key),
                             .envelope_may_make_upsert = wanted.may_become_upsert,
                             .announced_bytes = file.announced},
                            file.source));
  return started(call, job, started_body(job));
}

}  // namespace

Result<http::Response> bulk_insert(Call& call) {
  return start(call, {Operation::kInsert});
}

Result<http::Response> bulk_update_or_upsert(Call& call) {
  return start(call, {Operation::kUpdate, true});
}

Result<http::Response> bulk_replace(Call& call) {
  return start(call, {Operation::kReplace});
}

Result<http::Response> bulk_delete(Call& call) {
  return start(call, {Operation::kDelete});
}

}  // namespace tallyman::rest
