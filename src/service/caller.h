// Caller: who asks, and what their token allows.
//
// Scopes are "<resource>:<action>" with the actions read, insert, update, upsert,
// replace, delete, hard_delete and export; "*" is all of them on every resource; "admin"
// sees every owner's jobs (which "*" does not).
//
// Plain values: safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/acting_as.h"
#include "model/operation.h"

namespace tallyman {

struct Caller {
  std::string name;   // The token's: what the history says.
  std::string owner;  // Whose jobs these are.
  std::vector<std::string> scopes;
  ActingAs acting = {};  // As whom the jobs that they make run.

  bool is_admin() const;
  bool may(std::string_view resource, std::string_view action) const;
  // Any scope on the resource at all: only then is it shown.
  bool may_see(std::string_view resource) const;
};

// kForbidden, naming the scope that is missing.
Result<void> require_scope(const Caller& caller, std::string_view resource,
                           std::string_view action);

// True where `scope` is written as a scope can be.
bool is_scope(std::string_view scope);

}  // namespace tallyman
