#include "api/rest/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "api/rest/handlers.h"

namespace tallyman::rest {
namespace {

std::string fill(std::string_view pattern) {
  std::string path(pattern);
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>{"{resource}", "people"},
        {"{job}", "0190a0b0-0000-7000-8000-000000000000"}}) {
    if (const auto at = path.find(from); at != std::string::npos) {
      path.replace(at, from.size(), to);
    }
  }
  return path;
}

TEST(Routes, AreFoundWithAndWithoutTheirLastSlash) {
  for (const Route& route : routes()) {
    const std::string path = fill(route.pattern);
    for (const std::string& form : {path, path + "/"}) {
      const RouteMatch match = match_route(route.method, form);
      ASSERT_NE(match.route, nullptr) << route.method << " " << form;
      EXPECT_EQ(match.route->handler, route.handler) << route.method << " " << form;
    }
  }
}

TEST(Routes, AnswerHeadWhereverTheyAnswerGet) {
  for (const Route& route : routes()) {
    if (route.method != "GET") continue;
    EXPECT_NE(match_route("HEAD", fill(route.pattern)).route, nullptr) << route.pattern;
  }
}

TEST(Routes, GiveThePartsOfThePath) {
  const RouteMatch match = match_route("GET", "/api/a b/jobs/17/events");
  EXPECT_EQ(match.route->handler, job_events);
  EXPECT_EQ(match.resource, "a b");
  EXPECT_EQ(match.job, "17");
}

TEST(Routes, TellTheMethodsOfAPathThatHasOthers) {
  const RouteMatch match = match_route("PUT", "/api/people/jobs/17");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "DELETE, GET, HEAD");
  EXPECT_EQ(match_route("GET", "/api/people/jobs/17/data").allow, "HEAD, PUT");
}

TEST(Routes, KnowNoOtherPath) {
  for (const std::string_view path :
       {"/", "/api/people", "/api/people/bulk/", "/api/people/jobs/17/nothing",
        "/api/people//jobs", "/healthz/x", "/api/people/jobs//status"}) {
    const RouteMatch match = match_route("GET", path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_EQ(match.allow, "") << path;
  }
}

TEST(Routes, AreOnlyPublicWhereNothingIsTold) {
  std::set<std::string_view> open;
  for (const Route& route : routes()) {
    if (route.access == Access::kPublic) open.insert(route.pattern);
  }
  EXPECT_EQ(open, (std::set<std::string_view>{"/healthz", "/readyz"}));
}

}  // namespace
}  // namespace tallyman::rest
