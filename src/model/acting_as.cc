#include "model/acting_as.h"

#include <simdjson.h>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "model/limits.h"

namespace tallyman {
namespace {

constexpr std::size_t kRoleBytesMax = 63;        // PostgreSQL's NAMEDATALEN - 1.
constexpr std::size_t kClaimNameBytesMax = 255;  // Far more than any has.

bool begins_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool stands_in_part(char c) { return begins_part(c) || (c >= '0' && c <= '9'); }

// What a database can keep as text.
bool is_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = text.front() == '\0' ? 0 : utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Error wrong(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

Error unreadable() {
  return {ErrorCode::kInternal, "a stored role and its claims cannot be read"};
}

}  // namespace

bool is_claim_name(std::string_view name) {
  if (name.size() > kClaimNameBytesMax) return false;
  std::size_t dots = 0;
  bool at_begin = true;
  for (const char c : name) {
    if (c == '.') {
      if (at_begin) return false;
      ++dots;
      at_begin = true;
    } else if (at_begin ? begins_part(c) : stands_in_part(c)) {
      at_begin = false;
    } else {
      return false;
    }
  }
  return dots > 0 && !at_begin;
}

Result<void> check_acting_as(const ActingAs& as) {
  if (as.role == "none" || as.role.size() > kRoleBytesMax || !is_text(as.role)) {
    return wrong("'" + (is_text(as.role) ? as.role : std::string("?")) +
                 "' cannot be the name of a database role: it has at most " +
                 std::to_string(kRoleBytesMax) + " bytes, and is not \"none\"");
  }
  if (as.claims.size() > limits::kClaimsMax) {
    return wrong("there are " + std::to_string(as.claims.size()) + " claims; at most " +
                 std::to_string(limits::kClaimsMax) +
                 " are set for a job (put several values into one, as JSON)");
  }
  for (const auto& [name, value] : as.claims) {
    if (!is_claim_name(name)) {
      return wrong("'" + name +
                   "' cannot be the name of a claim: write letters, digits and _ with "
                   "dots between them, as in app.tenant_id");
    }
    if (value.size() > limits::kClaimBytesMax || !is_text(value)) {
      return wrong("the claim '" + name + "' must be text of at most " +
                   std::to_string(limits::kClaimBytesMax) + " bytes");
    }
  }
  return {};
}

std::string to_json(const ActingAs& as) {
  std::string text;
  if (!as.is_somebody()) return text;
  JsonWriter json(text);
  json.begin_object();
  json.key("role").text(as.role);
  json.key("claims").begin_object();
  for (const auto& [name, value] : as.claims) json.key(name).text(value);
  json.end_object().end_object();
  return text;
}

Result<ActingAs> acting_as_from_json(std::string_view text) {
  ActingAs as;
  if (text.empty()) return as;
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::string_view role;
  simdjson::dom::object claims;
  if (parser.parse(text.data(), text.size()).get(document) ||
      document["role"].get(role) || document["claims"].get(claims)) {
    return unreadable();
  }
  as.role = role;
  for (const auto [name, value] : claims) {
    std::string_view claim;
    if (value.get(claim)) return unreadable();
    as.claims.emplace(name, claim);
  }
  return as;
}

}  // namespace tallyman
