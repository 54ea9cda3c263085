#include "api/rest/json_request.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "model/content.h"
#include "model/limits.h"

namespace tallyman::rest {
namespace {

namespace ondemand = simdjson::ondemand;

Error not_an_object() {
  return {ErrorCode::kInvalidArgument,
          "the body is not one JSON object; send {\"member\": ...}", "INVALID_JSON"};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

simdjson::error_code read_names(ondemand::array elements,
                                std::optional<std::vector<std::string>>& into) {
  std::vector<std::string> names;
  for (auto element : elements) {
    std::string_view text;
    if (const auto error = element.get_string().get(text)) return error;
    names.emplace_back(text);
  }
  into = std::move(names);
  return simdjson::SUCCESS;
}

// A JSON array that is not one of texts stays JSON.
simdjson::error_code read_array(ondemand::array elements, SentOption& into) {
  std::string_view raw;
  if (const auto error = elements.raw_json().get(raw)) return error;
  into.text = trimmed(raw);
  if (const auto error = elements.reset().error()) return error;
  const auto error = read_names(elements, into.names);
  return error == simdjson::INCORRECT_TYPE ? simdjson::SUCCESS : error;
}

simdjson::error_code read_value(ondemand::value value, SentOption& into) {
  ondemand::json_type type;
  if (const auto error = value.type().get(type)) return error;
  std::string_view text;
  switch (type) {
    case ondemand::json_type::string:
      if (const auto error = value.get_string().get(text)) return error;
      break;
    case ondemand::json_type::object: {
      ondemand::object object;
      if (const auto error = value.get_object().get(object)) return error;
      if (const auto error = object.raw_json().get(text)) return error;
      break;
    }
    case ondemand::json_type::array: {
      ondemand::array array;
      if (const auto error = value.get_array().get(array)) return error;
      return read_array(array, into);
    }
    case ondemand::json_type::number:
    case ondemand::json_type::boolean:
    case ondemand::json_type::null: text = trimmed(value.raw_json_token()); break;
  }
  into.text = text;
  return simdjson::SUCCESS;
}

Result<std::string> read_small_body(http::Request& request) {
  std::string body;
  std::array<char, 16384> buffer;
  while (true) {
    TALLY_TRY_ASSIGN(const std::size_t length, request.body->read(buffer));
    if (length == 0) return body;
    body.append(buffer.data(), length);
    if (body.size() > limits::kRequestJsonBytesMax) {
      return Error{
          ErrorCode::kTooLarge,
          "the JSON body is longer than " + std::to_string(limits::kRequestJsonBytesMax) +
              " bytes (request_json_bytes_max); records go to the upload, not here"};
    }
  }
}

}  // namespace

Result<std::vector<SentOption>> read_json_request(http::Request& request) {
  const auto type = request.headers.find("Content-Type");
  if (type && content_type_from_name(*type) != ContentType::kJson) {
    return Error{ErrorCode::kUnsupportedMedia,
                 "this request takes a body of application/json; send that"};
  }
  if (request.headers.find("Content-Encoding")) {
    return Error{ErrorCode::kUnsupportedMedia,
                 "this request takes a body without Content-Encoding; send it as it is"};
  }
  TALLY_TRY_ASSIGN(const std::string body, read_small_body(request));
  return members_of_json(body);
}

Result<std::vector<SentOption>> members_of_json(std::string_view json) {
  // Once through the strict parser: the other one believes what it does not look at.
  const simdjson::padded_string padded(json);
  simdjson::dom::parser checker;
  simdjson::dom::object checked;
  if (checker.parse(padded).get(checked)) return not_an_object();

  ondemand::parser parser;
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(padded).get(document) || document.get_object().get(object)) {
    return not_an_object();
  }
  std::vector<SentOption> members;
  for (auto field : object) {
    SentOption member;
    std::string_view name;
    ondemand::value value;
    if (field.unescaped_key().get(name)) return not_an_object();
    member.name = name;
    if (field.value().get(value)) return not_an_object();
    const bool is_null = value.is_null();
    if (!is_null && read_value(value, member)) return not_an_object();
    if (!is_null) members.push_back(std::move(member));
  }
  return members;
}

std::optional<SentOption> take_member(std::vector<SentOption>& members,
                                      std::string_view name) {
  const auto found =
      std::find_if(members.begin(), members.end(),
                   [&](const SentOption& member) { return member.name == name; });
  if (found == members.end()) return std::nullopt;
  SentOption taken = std::move(*found);
  members.erase(found);
  return taken;
}

}  // namespace tallyman::rest
