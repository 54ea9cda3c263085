#include "api/auth.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

// One token, which can be taken away.
class OneToken final : public TokenStore {
 public:
  Result<std::string> create(const Token&) override { return std::string("tly_secret"); }
  Result<std::optional<Token>> find(std::string_view secret) override {
    if (!available) return Error{ErrorCode::kUnavailable, "database away"};
    if (revoked || secret != "tly_secret") return std::optional<Token>();
    return std::optional(Token{.name = "nightly",
                               .owner = "ann",
                               .scopes = {"people:read"},
                               .created_at = {},
                               .expires_at = {}});
  }
  Result<std::vector<Token>> list() override { return std::vector<Token>(); }
  Result<void> revoke(std::string_view) override {
    revoked = true;
    return {};
  }

  bool available = true;
  bool revoked = false;
};

http::Headers with(std::string_view authorization) {
  http::Headers headers;
  headers.add("Authorization", authorization);
  return headers;
}

TEST(Authenticator, TakesBothSchemesInAnyCase) {
  OneToken tokens;
  const Authenticator authenticator(tokens);
  for (const char* header :
       {"Bearer tly_secret", "Token tly_secret", "bearer  tly_secret"}) {
    const auto caller = authenticator.authenticate(with(header));
    ASSERT_TRUE(caller.ok()) << header;
    EXPECT_EQ(caller.value().name, "nightly");
    EXPECT_EQ(caller.value().owner, "ann");
    EXPECT_TRUE(caller.value().may("people", "read"));
  }
}

TEST(Authenticator, RefusesEverythingElse) {
  OneToken tokens;
  const Authenticator authenticator(tokens);
  EXPECT_FALSE(authenticator.authenticate(http::Headers()).ok());
  for (const char* header :
       {"", "Bearer", "Bearer ", "Bearer wrong", "tly_secret", "Basic tly_secret",
        "Bearer tly_secret x", "Bearertly_secret"}) {
    const auto caller = authenticator.authenticate(with(header));
    ASSERT_FALSE(caller.ok()) << header;
    EXPECT_EQ(caller.error().code, ErrorCode::kUnauthenticated);
    EXPECT_EQ(caller.error().message.find("tly_secret"), std::string::npos);
  }
}

TEST(Authenticator, TakesNoneOfTwoHeaders) {
  OneToken tokens;
  http::Headers headers = with("Bearer tly_secret");
  headers.add("authorization", "Bearer tly_secret");
  const auto caller = Authenticator(tokens).authenticate(headers);
  ASSERT_FALSE(caller.ok());
  EXPECT_EQ(caller.error().code, ErrorCode::kUnauthenticated);
}

TEST(Authenticator, RefusesARevokedTokenAtOnce) {
  OneToken tokens;
  const Authenticator authenticator(tokens);
  ASSERT_TRUE(authenticator.authenticate(with("Bearer tly_secret")).ok());
  ASSERT_TRUE(tokens.revoke("nightly").ok());
  EXPECT_FALSE(authenticator.authenticate(with("Bearer tly_secret")).ok());
}

TEST(Authenticator, SaysSoWhereTheDatabaseIsAway) {
  OneToken tokens;
  tokens.available = false;
  EXPECT_EQ(Authenticator(tokens).authenticate(with("Bearer tly_secret")).error().code,
            ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace tallyman
