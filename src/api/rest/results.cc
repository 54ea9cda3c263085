// The outcome of every record of a job, streamed.
#include "service/results.h"

#include "api/errors.h"
#include "api/rest/handlers.h"
#include "api/rest/result_query.h"

namespace tallyman::rest {
namespace {

// Only letters that no file system and no header minds.
std::string file_name(const Call& call, const ResultQuery& query) {
  std::string made = call.resource + "-" + call.job.id.to_string();
  if (const auto outcome = call.request.parameter("outcome"))
    made += "-" + std::string(*outcome);
  for (char& each : made) {
    const bool is_plain = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                          (each >= '0' && each <= '9') || each == '-' || each == '_';
    if (!is_plain) each = '_';
  }
  return made + "." + std::string(name(query.format));
}

http::Response not_acceptable() {
  return error_response(
      406, "NOT_ACCEPTABLE",
      "results are text/csv, application/x-ndjson or application/json; name "
      "one of them in Accept, or send format=csv, ndjson or json");
}

}  // namespace

Result<http::Response> job_results(Call& call) {
  const auto format = requested_format(call.request);
  if (!format) return not_acceptable();
  TALLY_TRY_ASSIGN(const ResultQuery query, parse_result_query(call.request, *format));
  TALLY_TRY_ASSIGN(auto results,
                   open_results(call.service(), call.caller, call.job, query));

  http::Response response;
  std::string type(media_type(query.format));
  if (query.format == ResultFormat::kCsv) type += "; charset=utf-8; header=present";
  response.headers.add("Content-Type", type);
  response.headers.add("Content-Disposition",
                       "attachment; filename=\"" + file_name(call, query) + "\"");
  response.headers.add("Vary", "Accept");
  response.stream = [results = std::move(results)](http::BodySink& sink) {
    return results([&sink](std::string_view bytes) { return sink.write(bytes); });
  };
  return response;
}

}  // namespace tallyman::rest
