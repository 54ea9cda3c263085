// What every TokenStore must do.
#pragma once

#include <set>

#include "store/store_backend.h"

namespace tallyman {

class TokenStoreConformance : public StoreConformance {
 protected:
  TokenStore& tokens() { return backend_->tokens(); }
  static Token token(std::string name) {
    return {.name = std::move(name),
            .owner = "ann",
            .scopes = {"people:insert", "*"},
            .created_at = {},
            .expires_at = std::nullopt};
  }
};

TEST_P(TokenStoreConformance, FindsATokenByItsSecretAlone) {
  const std::string secret = must(tokens().create(token("laptop")));
  EXPECT_EQ(secret.size(), 47u);
  EXPECT_TRUE(secret.starts_with("tly_"));
  const auto found = must(tokens().find(secret));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->name, "laptop");
  EXPECT_EQ(found->owner, "ann");
  EXPECT_EQ(found->scopes, (std::vector<std::string>{"people:insert", "*"}));
  EXPECT_EQ(found->created_at, clock().now());
  EXPECT_EQ(found->expires_at, std::nullopt);
}

TEST_P(TokenStoreConformance, KeepsAsWhomItsJobsRun) {
  Token acting = token("tenant");
  acting.acting = {.role = "te\"nant",
                   .claims = {{"app.tenant", "7"}, {"a.b", "{\"x\": 1}"}}};
  const std::string secret = must(tokens().create(acting));
  EXPECT_EQ(must(tokens().find(secret))->acting, acting.acting);
  EXPECT_EQ(must(tokens().list()).front().acting, acting.acting);
  const std::string plain = must(tokens().create(token("plain")));
  EXPECT_FALSE(must(tokens().find(plain))->acting.is_somebody());

  Token wrong = token("wrong");
  wrong.acting.claims["search_path"] = "x";
  EXPECT_EQ(code(tokens().create(wrong)), ErrorCode::kInvalidArgument);
}

TEST_P(TokenStoreConformance, KnowsNoOtherSecret) {
  const std::string secret = must(tokens().create(token("laptop")));
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string other = secret;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(must(tokens().find(other)).has_value()) << i;
    EXPECT_FALSE(must(tokens().find(secret.substr(0, i))).has_value()) << i;
  }
  EXPECT_FALSE(must(tokens().find(secret + "A")).has_value());
  EXPECT_FALSE(must(tokens().find(std::string(1 << 20, 'x'))).has_value());
}

TEST_P(TokenStoreConformance, NoTwoSecretsAreAlike) {
  std::set<std::string> secrets;
  for (int i = 0; i < 20; ++i) {
    secrets.insert(must(tokens().create(token("t" + std::to_string(i)))));
  }
  EXPECT_EQ(secrets.size(), 20u);
}

TEST_P(TokenStoreConformance, ANameIsTakenOnce) {
  const std::string secret = must(tokens().create(token("laptop")));
  EXPECT_EQ(code(tokens().create(token("laptop"))), ErrorCode::kConflict);
  EXPECT_TRUE(must(tokens().find(secret)).has_value());
  EXPECT_EQ(code(tokens().create(token(""))), ErrorCode::kInvalidArgument);
}

TEST_P(TokenStoreConformance, ATokenEndsWhenItsTimeHasCome) {
  Token short_lived = token("laptop");
  short_lived.expires_at = clock().now() + std::chrono::hours(1);
  const std::string secret = must(tokens().create(short_lived));
  clock().advance(std::chrono::hours(1) - std::chrono::microseconds(1));
  EXPECT_TRUE(must(tokens().find(secret)).has_value());
  clock().advance(std::chrono::microseconds(1));
  EXPECT_FALSE(must(tokens().find(secret)).has_value());
}

TEST_P(TokenStoreConformance, ListsByNameAndRevokes) {
  must(tokens().create(token("b")));
  const std::string secret = must(tokens().create(token("a")));
  const auto all = must(tokens().list());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "a");
  EXPECT_EQ(all[1].name, "b");
  must(tokens().revoke("a"));
  EXPECT_FALSE(must(tokens().find(secret)).has_value());
  EXPECT_EQ(must(tokens().list()).size(), 1u);
  EXPECT_EQ(code(tokens().revoke("a")), ErrorCode::kNotFound);
}

TEST_P(TokenStoreConformance, ARestartForgetsNoToken) {
  const std::string secret = must(tokens().create(token("laptop")));
  backend_->restart();
  EXPECT_TRUE(must(tokens().find(secret)).has_value());
}

}  // namespace tallyman
