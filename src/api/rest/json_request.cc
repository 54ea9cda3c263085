#include "api/rest/json_request.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "model/content.h"
#include "model/json_number.h"
#include "model/limits.h"

namespace tallyman::rest {
namespace {

namespace ondemand = simdjson::ondemand;

// Definitions of aggregates are three deep; what is deeper is none, and takes stack to
// read.
constexpr int kDepthMax = 32;

Error not_an_object() {
  return {ErrorCode::kInvalidArgument,
          "the body is not one JSON object; send {\"member\": ...}", "INVALID_JSON"};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

simdjson::error_code check_object(ondemand::object object, int depth);

// The parser believes what it does not look at, so everything is looked at once. (The
// other parser of simdjson is strict, but takes no number past 64 bits.)
simdjson::error_code check_value(ondemand::value value, int depth) {
  if (depth > kDepthMax) return simdjson::DEPTH_ERROR;
  ondemand::json_type type;
  if (const auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::string: return value.get_string().error();
    case ondemand::json_type::boolean: return value.get_bool().error();
    case ondemand::json_type::null:
      return trimmed(value.raw_json_token()) == "null" ? simdjson::SUCCESS
                                                       : simdjson::N_ATOM_ERROR;
    case ondemand::json_type::number:
      return is_json_number(trimmed(value.raw_json_token())) ? simdjson::SUCCESS
                                                             : simdjson::NUMBER_ERROR;
    case ondemand::json_type::array: {
      ondemand::array array;
      if (const auto error = value.get_array().get(array)) return error;
      for (auto element : array) {
        ondemand::value member;
        if (const auto error = element.get(member)) return error;
        if (const auto error = check_value(member, depth + 1)) return error;
      }
      return simdjson::SUCCESS;
    }
    case ondemand::json_type::object: {
      ondemand::object object;
      if (const auto error = value.get_object().get(object)) return error;
      return check_object(object, depth);
    }
  }
  return simdjson::INCORRECT_TYPE;
}

simdjson::error_code check_object(ondemand::object object, int depth) {
  for (auto field : object) {
    std::string_view name;
    ondemand::value value;
    if (const auto error = field.unescaped_key().get(name)) return error;
    if (const auto error = field.value().get(value)) return error;
    if (const auto error = check_value(value, depth + 1)) return error;
  }
  return simdjson::SUCCESS;
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
  const simdjson::padded_string padded(json);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(padded).get(document) || document.get_object().get(object) ||
      check_object(object, 0) ||
      document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return not_an_object();
  }
  document.rewind();
  if (document.get_object().get(object)) return not_an_object();
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
