#include "service/caller.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

Caller with(std::vector<std::string> scopes) {
  return {.name = "t", .owner = "o", .scopes = std::move(scopes)};
}

TEST(CallerTest, AScopeIsForOneActionOfOneResource) {
  const Caller caller = with({"people:insert"});
  EXPECT_TRUE(caller.may("people", "insert"));
  EXPECT_FALSE(caller.may("people", "update"));
  EXPECT_FALSE(caller.may("people2", "insert"));
  EXPECT_FALSE(caller.may("peopl", "insert"));
}

TEST(CallerTest, StarsStandForAll) {
  EXPECT_TRUE(with({"*"}).may("people", "delete"));
  EXPECT_TRUE(with({"people:*"}).may("people", "delete"));
  EXPECT_FALSE(with({"people:*"}).may("places", "delete"));
  EXPECT_TRUE(with({"*:read"}).may("places", "read"));
  EXPECT_FALSE(with({"*:read"}).may("places", "insert"));
}

TEST(CallerTest, AdminReadsEverythingAndWritesNothing) {
  EXPECT_TRUE(with({"admin"}).is_admin());
  EXPECT_TRUE(with({"admin"}).may("people", "read"));
  EXPECT_FALSE(with({"admin"}).may("people", "insert"));
  EXPECT_FALSE(with({"*"}).is_admin());
}

TEST(CallerTest, SeesAResourceWithAnyScopeOnIt) {
  EXPECT_TRUE(with({"people:export"}).may_see("people"));
  EXPECT_FALSE(with({"people:export"}).may_see("places"));
  EXPECT_FALSE(with({}).may_see("people"));
}

TEST(CallerTest, KnowsHowAScopeIsWritten) {
  for (const char* good :
       {"*", "admin", "people:read", "a:b:delete", "*:*", "people:*"}) {
    EXPECT_TRUE(is_scope(good)) << good;
  }
  for (const char* bad : {"", "people", "people:", ":read", "people:write", "Admin"}) {
    EXPECT_FALSE(is_scope(bad)) << bad;
  }
}

TEST(CallerTest, ARefusalNamesTheMissingScope) {
  const auto refused = require_scope(with({}), "people", "insert");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kForbidden);
  EXPECT_NE(refused.error().message.find("'people:insert'"), std::string::npos);
}

}  // namespace
}  // namespace tallyman
