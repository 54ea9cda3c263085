#include "app/routes_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "api/rest/routes.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

std::string printed(bool json) {
  SystemClock clock;
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err, false, clock};
  EXPECT_EQ(run_routes({.json = json}, console), 0);
  EXPECT_EQ(err.str(), "");
  return out.str();
}

TEST(RoutesCommand, PrintsEveryRouteOnALineOfItsOwn) {
  const std::string text = printed(false);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'),
            static_cast<std::ptrdiff_t>(rest::routes().size()) + 1);
  for (const rest::Route& route : rest::routes()) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string(route.method)));
    EXPECT_THAT(text, HasSubstr("  " + std::string(route.pattern)));
  }
}

TEST(RoutesCommand, PrintsJsonForPrograms) {
  const std::string text = printed(true);
  EXPECT_THAT(text,
              HasSubstr(R"({"method":"GET","path":"/healthz/","needs":"nothing"})"));
  EXPECT_THAT(text, HasSubstr(R"("path":"/api/{resource}/template.csv")"));
  EXPECT_THAT(text, HasSubstr(R"("needs":"operation")"));
}

}  // namespace
}  // namespace tallyman
