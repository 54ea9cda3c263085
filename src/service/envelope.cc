#include "service/envelope.h"

#include <simdjson.h>

#include <string>
#include <vector>

namespace tallyman {
namespace {

Error bad_member(std::string_view member, std::string_view rule) {
  return {ErrorCode::kInvalidArgument,
          "the envelope's member '" + std::string(member) + "' " + std::string(rule)};
}

Result<std::vector<std::string>> names_of(std::string_view member,
                                          simdjson::dom::element value) {
  std::vector<std::string> names;
  if (std::string_view one; value.get(one) == simdjson::SUCCESS) {
    names.emplace_back(one);
    return names;
  }
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) {
    return bad_member(member, "must be a list of field names");
  }
  for (const simdjson::dom::element element : list) {
    std::string_view name;
    if (element.get(name) != simdjson::SUCCESS) {
      return bad_member(member, "must be a list of field names");
    }
    names.emplace_back(name);
  }
  return names;
}

}  // namespace

Result<void> apply_envelope(std::string_view envelope, JobRequest& request) {
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(simdjson::padded_string(envelope)).get(members) != simdjson::SUCCESS) {
    return Error{ErrorCode::kUnreadable,
                 "the envelope around \"data\" is not valid JSON"};
  }
  for (const auto [member, value] : members) {
    if (member == "unique_fields") {
      TALLY_TRY_ASSIGN(request.options.unique_fields, names_of(member, value));
    } else if (member == "update_fields") {
      TALLY_TRY_ASSIGN(request.options.update_fields, names_of(member, value));
    } else {
      return bad_member(member,
                        "is not known; known are data, unique_fields, update_fields");
    }
  }
  return {};
}

}  // namespace tallyman
