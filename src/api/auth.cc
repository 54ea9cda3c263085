#include "api/auth.h"

#include <algorithm>
#include <cctype>

namespace tallyman {
namespace {

constexpr std::string_view kHowToSend = "send it as \"Authorization: Bearer <token>\"";

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](unsigned char a, unsigned char b) {
                      return std::tolower(a) == std::tolower(b);
                    });
}

Error unauthenticated(std::string message) {
  return {ErrorCode::kUnauthenticated, std::move(message)};
}

}  // namespace

Result<Caller> Authenticator::authenticate(const http::Headers& headers) const {
  const auto header = headers.find("Authorization");
  if (headers.count("Authorization") > 1) {
    return unauthenticated("the request has more than one Authorization header; " +
                           std::string(kHowToSend));
  }
  if (!header || header->empty()) {
    return unauthenticated("the request has no token; " + std::string(kHowToSend));
  }
  const std::size_t space = std::min(header->find(' '), header->size());
  const std::string_view scheme = header->substr(0, space);
  if (!equals_ignoring_case(scheme, "Bearer") && !equals_ignoring_case(scheme, "Token")) {
    return unauthenticated("only tokens are taken for access; " +
                           std::string(kHowToSend));
  }
  std::string_view secret = header->substr(space);
  secret.remove_prefix(std::min(secret.find_first_not_of(' '), secret.size()));
  return authenticate(secret);
}

Result<Caller> Authenticator::authenticate(std::string_view secret) const {
  if (secret.empty()) {
    return unauthenticated("the request has no token; " + std::string(kHowToSend));
  }
  TALLY_TRY_ASSIGN(auto token, tokens_.find(secret));
  if (!token) {
    return unauthenticated(
        "the token is not known here: it was mistyped, was revoked or has expired; ask "
        "for a "
        "new one");
  }
  return Caller{.name = std::move(token->name),
                .owner = std::move(token->owner),
                .scopes = std::move(token->scopes),
                .acting = std::move(token->acting)};
}

}  // namespace tallyman
