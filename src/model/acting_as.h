// ActingAs: the database role that a job's statements run as, and the settings that the
// policies and defaults of the application read meanwhile (its claims).
//
//   ActingAs as{.role = "tenant", .claims = {{"app.tenant_id", "7"}}};
//   TALLY_TRY(check_acting_as(as));
//
// A token has one, and a job keeps that of the token that made it: it runs as it was
// created, whatever becomes of the token.
//
// Plain values: safe from any thread.
// Errors: kInvalidArgument, naming the role or the setting and what it may be.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tallyman {

struct ActingAs {
  std::string role;                                        // Empty: the server's own.
  std::map<std::string, std::string, std::less<>> claims;  // By the setting's name.

  bool is_somebody() const { return !role.empty() || !claims.empty(); }

  friend bool operator==(const ActingAs&, const ActingAs&) = default;
};

// True for a name that a claim may have: parts of letters, digits and _ with a dot
// between them, at least two ("request.jwt.claims", "app.tenant_id"). What has no dot is
// a setting of the database itself, and no claim.
bool is_claim_name(std::string_view name);

// The role is a name that PostgreSQL can have (at most 63 bytes, not "none", which means
// nobody), the claims have names as above, texts as values, and no more of them than
// limits::kClaimsMax, of at most limits::kClaimBytesMax bytes each.
Result<void> check_acting_as(const ActingAs& as);

// The form in which it is kept: one JSON object, the same for equal ones; empty for
// nobody.
std::string to_json(const ActingAs& as);
// Reads what to_json() wrote.
Result<ActingAs> acting_as_from_json(std::string_view json);

}  // namespace tallyman
