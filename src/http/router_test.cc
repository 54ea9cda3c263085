#include "http/router.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace tallyman::http {
namespace {

constexpr std::array<Route, 9> kRoutes{{
    {"GET", "/"},
    {"GET", "/api"},
    {"GET", "/api/jobs"},
    {"POST", "/api/{resource}/jobs"},
    {"GET", "/api/{resource}/jobs/{id}/status"},
    {"PUT", "/api/{resource}/jobs/{id}/data"},
    {"HEAD", "/api/{resource}/jobs/{id}/data"},
    {"GET", "/api/{resource}/{view}"},
    {"DELETE", "/api/{resource}/{view}"},
}};

class RouterTest : public testing::Test {
 protected:
  std::size_t found(std::string_view method, std::string_view path) {
    const RouteMatch match = router_.match(method, path);
    EXPECT_EQ(match.kind, RouteMatch::Kind::kFound) << method << " " << path;
    return match.route;
  }
  RouteMatch::Kind kind(std::string_view method, std::string_view path) {
    return router_.match(method, path).kind;
  }

  const Router router_{kRoutes};
};

TEST_F(RouterTest, FindsEveryRouteOfItsTableByThePatternItself) {
  for (std::size_t i = 0; i < router_.routes().size(); ++i) {
    const Route& route = router_.routes()[i];
    for (const std::string tail : {"", "/"}) {
      for (const std::string lead : {"", "/", "//"}) {
        EXPECT_EQ(found(route.method, lead + std::string(route.pattern) + tail), i);
      }
    }
  }
}

TEST_F(RouterTest, GivesTheParametersByName) {
  const RouteMatch match = router_.match("GET", "//api/users/jobs/17/status/");
  ASSERT_EQ(match.kind, RouteMatch::Kind::kFound);
  EXPECT_EQ(match.parameter("resource"), "users");
  EXPECT_EQ(match.parameter("id"), "17");
  EXPECT_EQ(match.parameters.size(), 2U);
}

TEST_F(RouterTest, PrefersTheEarliestLiteral) {
  EXPECT_EQ(found("GET", "/api/jobs"), 2U);
  EXPECT_EQ(found("GET", "/api/users/jobs"), 7U)
      << "another method's literal does not hide it";
  EXPECT_EQ(found("POST", "/api/users/jobs"), 3U);
}

TEST_F(RouterTest, DoesNotFindWhatIsNotThere) {
  for (const std::string_view path :
       {"/ap", "/apix", "/api//", "/api//jobs", "/api/users/jobs//status",
        "/api/users/jobs/17", "/api/users/jobs/17/status//", "/API",
        "/api/users/jobs/17/status/x", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"}) {
    EXPECT_EQ(kind("GET", path), RouteMatch::Kind::kNotFound) << path;
  }
}

TEST_F(RouterTest, NamesTheMethodsThatAPathHas) {
  const RouteMatch data = router_.match("GET", "/api/users/jobs/17/data");
  EXPECT_EQ(data.kind, RouteMatch::Kind::kMethodNotAllowed);
  EXPECT_EQ(data.allow, "HEAD, PUT");
  EXPECT_EQ(router_.match("PATCH", "/api/users/jobs").allow, "DELETE, GET, HEAD, POST");
  EXPECT_EQ(kind("get", "/api"), RouteMatch::Kind::kMethodNotAllowed)
      << "methods have case";
}

TEST_F(RouterTest, AnswersHeadLikeGetUnlessItHasARouteOfItsOwn) {
  EXPECT_EQ(found("HEAD", "/api/jobs"), 2U);
  EXPECT_EQ(found("HEAD", "/api/users/jobs/17/data"), 6U);
}

TEST(RouterDeathTest, RefusesTwoRoutesForTheSamePaths) {
  static constexpr std::array<Route, 2> kTwice{{{"GET", "/a/{x}"}, {"GET", "/a/{y}/"}}};
  EXPECT_DEATH(Router{kTwice}, "CHECK");
}

}  // namespace
}  // namespace tallyman::http
