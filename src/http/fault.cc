#include "http/fault.h"

#include "base/json_writer.h"
#include "http/response_head.h"

namespace tallyman::http {
namespace {

constexpr std::string_view kRetryAfterSeconds = "1";

}  // namespace

Fault Fault::bad_request(std::string message) {
  return {400, "BAD_REQUEST", std::move(message)};
}
Fault Fault::timeout(std::string message) {
  return {408, "REQUEST_TIMEOUT", std::move(message)};
}
Fault Fault::header_too_large(std::string message) {
  return {431, "HEADER_TOO_LARGE", std::move(message)};
}
Fault Fault::too_many(std::string message) {
  return {429, "TOO_MANY_CONNECTIONS", std::move(message)};
}
Fault Fault::overloaded(std::string message) {
  return {503, "OVERLOADED", std::move(message)};
}
Fault Fault::unavailable() {
  return {
      503, "UNAVAILABLE",
      "the answer could not be read now; send the same request again in some seconds"};
}
Fault Fault::internal() {
  return {500, "INTERNAL",
          "the server failed on this request; its log names the request, and the same "
          "request may be sent again"};
}

Response to_response(const Fault& fault) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("error").text(fault.message).key("code").text(fault.code);
  json.end_object();
  Response response = Response::json(fault.status, std::move(body));
  if (fault.status == 429 || fault.status == 503) {
    response.headers.add("Retry-After", kRetryAfterSeconds);
  }
  return response;
}

std::string to_response_bytes(const Fault& fault) {
  const Response response = to_response(fault);
  std::string bytes;
  append_response_head(bytes, response,
                       {.framing = BodyFraming::kLength,
                        .content_length = response.body.size(),
                        .keep_alive = false});
  bytes += response.body;
  return bytes;
}

}  // namespace tallyman::http
