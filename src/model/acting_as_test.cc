#include "model/acting_as.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace tallyman {
namespace {

TEST(ActingAs, AClaimsNameHasPartsWithDotsBetweenThem) {
  for (const char* name : {"app.tenant_id", "request.jwt.claims", "a.b", "_x.y9"}) {
    EXPECT_TRUE(is_claim_name(name)) << name;
  }
  for (const char* name :
       {"", "role", "search_path", ".a", "a.", "a..b", "a.9b", "9a.b", "a.b c", "a.b;--",
        "a.\"b\"", "a.b'", "a.b=c", "\xC3\xA9.b", "a-b.c"}) {
    EXPECT_FALSE(is_claim_name(name)) << name;
  }
  EXPECT_FALSE(is_claim_name(std::string("a.b\0c", 5)));
}

TEST(ActingAs, OfTheClaimsThereAreAtMostKClaimsMax) {
  ActingAs as;
  for (std::size_t i = 0; i < limits::kClaimsMax; ++i) {
    as.claims["app.c" + std::to_string(i)] = "x";
  }
  EXPECT_TRUE(check_acting_as(as).ok());
  as.claims["app.one_more"] = "x";
  EXPECT_FALSE(check_acting_as(as).ok());
}

TEST(ActingAs, AClaimHasAtMostKClaimBytesMax) {
  ActingAs as{.role = {},
              .claims = {{"app.c", std::string(limits::kClaimBytesMax, 'x')}}};
  EXPECT_TRUE(check_acting_as(as).ok());
  as.claims["app.c"] += "x";
  EXPECT_FALSE(check_acting_as(as).ok());
  as.claims["app.c"] = std::string("a\0b", 3);
  EXPECT_FALSE(check_acting_as(as).ok());
}

TEST(ActingAs, ARoleIsANameThatIsNotNobodys) {
  const auto is_right = [](std::string role) {
    return check_acting_as({.role = std::move(role), .claims = {}}).ok();
  };
  EXPECT_TRUE(is_right("tenant"));
  EXPECT_TRUE(is_right("O'Brien \"the\" role"));
  EXPECT_TRUE(is_right(std::string(63, 'r')));
  EXPECT_FALSE(is_right(std::string(64, 'r')));
  EXPECT_FALSE(is_right("none"));
  EXPECT_FALSE(is_right(std::string("a\0b", 3)));
  EXPECT_FALSE(is_right("\xFF"));
}

TEST(ActingAs, IsKeptAsItIs) {
  EXPECT_EQ(to_json(ActingAs{}), "");
  EXPECT_FALSE(acting_as_from_json("").value().is_somebody());
  const ActingAs as{.role = "a\"b",
                    .claims = {{"app.x", "{\"sub\": \"\n\"}"}, {"app.y", ""}}};
  EXPECT_EQ(acting_as_from_json(to_json(as)).value(), as);
  EXPECT_FALSE(acting_as_from_json("{\"role\": 1}").ok());
  EXPECT_FALSE(acting_as_from_json("{").ok());
}

}  // namespace
}  // namespace tallyman
