#include "store/token_secret.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

TEST(TokenSecret, IsKnownByItsHash) {
  SystemRandom random;
  const std::string secret = new_token_secret(random);
  EXPECT_TRUE(is_token_secret(secret));
  EXPECT_FALSE(is_token_secret(secret + "A"));
  EXPECT_FALSE(is_token_secret("TLY_" + secret.substr(4)));
  const TokenHash hash = hash_of_secret(secret);
  EXPECT_TRUE(is_same_hash(hash, hash_of_secret(secret)));
  EXPECT_FALSE(is_same_hash(hash, hash_of_secret(new_token_secret(random))));
  EXPECT_FALSE(is_same_hash(hash, std::span(hash).first(31)));
}

}  // namespace
}  // namespace tallyman
