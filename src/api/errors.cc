#include "api/errors.h"

#include "base/check.h"
#include "base/json_writer.h"
#include "base/log.h"

namespace tallyman {
namespace {

http::Response make_response(int status, std::string_view code, std::string_view message,
                             const ErrorMembers& members) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("error").text(message).key("code").text(code);
  for (const auto& [name, value] : members) json.key(name).raw(value);
  json.end_object();
  http::Response response = http::Response::json(status, std::move(body));
  if (status == 401)
    response.headers.add("WWW-Authenticate", "Bearer realm=\"tallyman\"");
  if (status == 429 || status == 503) {
    response.headers.add("Retry-After", std::to_string(kRetryAfterSeconds));
  }
  return response;
}

}  // namespace

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return 400;
    case ErrorCode::kUnauthenticated: return 401;
    case ErrorCode::kForbidden: return 403;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kConflict: return 409;
    case ErrorCode::kGone: return 410;
    case ErrorCode::kTooLarge: return 413;
    case ErrorCode::kUnsupportedMedia: return 415;
    case ErrorCode::kUnreadable: return 422;
    case ErrorCode::kTooMany: return 429;
    case ErrorCode::kUnavailable: return 503;
    case ErrorCode::kOutOfSpace: return 507;
    case ErrorCode::kLost: return 409;
    case ErrorCode::kInternal: return 500;
  }
  CHECK(false);
}

std::string_view stable_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "INVALID_ARGUMENT";
    case ErrorCode::kUnauthenticated: return "UNAUTHENTICATED";
    case ErrorCode::kForbidden: return "FORBIDDEN";
    case ErrorCode::kNotFound: return "NOT_FOUND";
    case ErrorCode::kConflict: return "CONFLICT";
    case ErrorCode::kGone: return "GONE";
    case ErrorCode::kTooLarge: return "TOO_LARGE";
    case ErrorCode::kUnsupportedMedia: return "UNSUPPORTED_MEDIA_TYPE";
    case ErrorCode::kUnreadable: return "UNREADABLE";
    case ErrorCode::kTooMany: return "TOO_MANY_REQUESTS";
    case ErrorCode::kUnavailable: return "UNAVAILABLE";
    case ErrorCode::kOutOfSpace: return "OUT_OF_SPACE";
    case ErrorCode::kLost: return "CONFLICT";
    case ErrorCode::kInternal: return "INTERNAL";
  }
  CHECK(false);
}

http::Response error_response(const Error& error, const ErrorMembers& members) {
  const std::string_view code =
      error.detail_code.empty() ? stable_code(error.code) : error.detail_code;
  if (error.code != ErrorCode::kInternal) {
    return make_response(http_status(error.code), code, error.message, members);
  }
  log_error("internal_error", {{"problem", error.message}});
  return make_response(
      500, code,
      "the server met something it did not expect and wrote it to its log; "
      "ask its operator",
      members);
}

http::Response error_response(int status, std::string_view code,
                              std::string_view message) {
  return make_response(status, code, message, {});
}

}  // namespace tallyman
