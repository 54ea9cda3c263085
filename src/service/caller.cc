#include "service/caller.h"

#include <algorithm>
#include <array>

namespace tallyman {
namespace {

constexpr auto kActions = std::to_array<std::string_view>(
    {"read", "insert", "update", "upsert", "replace", "delete", "hard_delete", "export"});

}  // namespace

bool Caller::is_admin() const {
  return std::find(scopes.begin(), scopes.end(), "admin") != scopes.end();
}

bool Caller::may(std::string_view resource, std::string_view action) const {
  return std::any_of(scopes.begin(), scopes.end(), [&](const std::string& scope) {
    if (scope == "*") return true;
    const std::size_t colon = scope.rfind(':');
    if (colon == std::string::npos) return scope == "admin" && action == "read";
    const std::string_view of(scope.data(), colon);
    const std::string_view what = std::string_view(scope).substr(colon + 1);
    return (of == resource || of == "*") && (what == action || what == "*");
  });
}

bool Caller::may_see(std::string_view resource) const {
  return std::any_of(kActions.begin(), kActions.end(),
                     [&](std::string_view action) { return may(resource, action); });
}

Result<void> require_scope(const Caller& caller, std::string_view resource,
                           std::string_view action) {
  if (caller.may(resource, action)) return {};
  return Error{ErrorCode::kForbidden, "the token '" + caller.name +
                                          "' lacks the scope '" + std::string(resource) +
                                          ":" + std::string(action) +
                                          "'; use a token that has it"};
}

bool is_scope(std::string_view scope) {
  if (scope == "*" || scope == "admin") return true;
  const std::size_t colon = scope.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view action = scope.substr(colon + 1);
  return action == "*" ||
         std::find(kActions.begin(), kActions.end(), action) != kActions.end();
}

}  // namespace tallyman
