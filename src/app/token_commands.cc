#include "app/token_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/backend.h"
#include "app/exit_code.h"
#include "app/job_commands.h"
#include "base/time_text.h"
#include "service/caller.h"

namespace tallyman {
namespace {

// Runs `body` with the tokens of the database that `url` names.
template <class Body>
int with_tokens(const std::string& url, Random& random, Console& console, Body body) {
  const auto run = [&]() -> Result<void> {
    TALLY_TRY_ASSIGN(const auto opened, open_tokens(url, console.clock, random));
    return body(opened);
  };
  const Result<void> done = run();
  return done.ok() ? kExitWell : report(done.error(), console);
}

std::string joined(const std::vector<std::string>& scopes) {
  std::string out;
  for (const std::string& scope : scopes) out += (out.empty() ? "" : " ") + scope;
  return out;
}

Result<void> check_scopes(const std::vector<std::string>& scopes) {
  for (const std::string& scope : scopes) {
    if (is_scope(scope)) continue;
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("'{}' is not a scope; write RESOURCE:ACTION with read, insert, "
                    "update, upsert, replace, delete, hard_delete or export, or * or "
                    "admin",
                    scope)};
  }
  return {};
}

Result<ActingAs> acting_of(const TokenCreateCommand& command) {
  ActingAs as{.role = command.role, .claims = {}};
  for (const std::string& claim : command.claims) {
    const std::size_t equals = claim.find('=');
    if (equals == std::string::npos) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("'{}' is not a claim; write NAME=VALUE, as in "
                               "app.tenant_id=7",
                               claim)};
    }
    if (!as.claims.emplace(claim.substr(0, equals), claim.substr(equals + 1)).second) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("the claim '{}' is given twice", claim.substr(0, equals))};
    }
  }
  TALLY_TRY(check_acting_as(as));
  return as;
}

}  // namespace

int run_token_create(const TokenCreateCommand& command, Random& random,
                     Console& console) {
  return with_tokens(command.database, random, console,
                     [&](const TokenDatabase& opened) -> Result<void> {
                       TALLY_TRY(check_scopes(command.scopes));
                       TALLY_TRY_ASSIGN(auto acting, acting_of(command));
                       TALLY_TRY(opened.target->check_acting(acting));
                       Token token{.name = command.name,
                                   .owner = command.owner,
                                   .scopes = command.scopes,
                                   .acting = std::move(acting),
                                   .created_at = console.clock.now(),
                                   .expires_at = std::nullopt};
                       if (command.expires)
                         token.expires_at = token.created_at + *command.expires;
                       TALLY_TRY_ASSIGN(const std::string secret,
                                        opened.tokens->create(token));
                       console.out << secret << '\n' << std::flush;
                       return {};
                     });
}

int run_token_list(const TokenListCommand& command, Random& random, Console& console) {
  return with_tokens(
      command.database, random, console,
      [&](const TokenDatabase& opened) -> Result<void> {
        TALLY_TRY_ASSIGN(const std::vector<Token> list, opened.tokens->list());
        std::size_t name_width = 4;
        std::size_t owner_width = 5;
        std::size_t role_width = 4;
        for (const Token& token : list) {
          name_width = std::max(name_width, token.name.size());
          owner_width = std::max(owner_width, token.owner.size());
          role_width = std::max(role_width, token.acting.role.size());
        }
        const auto line = [&](std::string_view name, std::string_view owner,
                              std::string_view role, std::string_view expires,
                              std::string_view scopes) {
          console.out << fmt::format("{:<{}}  {:<{}}  {:<{}}  {:<27}  {}\n", name,
                                     name_width, owner, owner_width, role, role_width,
                                     expires, scopes);
        };
        line("NAME", "OWNER", "ROLE", "EXPIRES", "SCOPES");
        for (const Token& token : list) {
          line(token.name, token.owner,
               token.acting.role.empty() ? "-" : token.acting.role,
               token.expires_at ? to_rfc3339(*token.expires_at) : "never",
               joined(token.scopes));
        }
        console.out << std::flush;
        return {};
      });
}

int run_token_revoke(const TokenRevokeCommand& command, Random& random,
                     Console& console) {
  return with_tokens(command.database, random, console, [&](const TokenDatabase& opened) {
    return opened.tokens->revoke(command.name);
  });
}

}  // namespace tallyman
