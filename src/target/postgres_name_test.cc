#include "target/postgres_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tallyman {
namespace {

using testing::ElementsAre;

PostgresName name(std::string table) { return {std::nullopt, std::move(table)}; }
PostgresName name(std::string schema, std::string table) {
  return {std::move(schema), std::move(table)};
}

TEST(PostgresName, IsReadAsItIsWrittenAndThenAsSqlReadsIt) {
  EXPECT_THAT(postgres_name_readings("people"), ElementsAre(name("people")));
  EXPECT_THAT(postgres_name_readings("People"),
              ElementsAre(name("People"), name("people")));
  EXPECT_THAT(
      postgres_name_readings("App.People"),
      ElementsAre(name("App", "People"), name("app", "people"), name("App.People")));
}

TEST(PostgresName, KeepsWhatStandsInQuotes) {
  EXPECT_THAT(
      postgres_name_readings("\"My Schema\".\"T\"\"x.y\""),
      ElementsAre(name("My Schema", "T\"x.y"), name("\"My Schema\".\"T\"\"x.y\"")));
  EXPECT_THAT(postgres_name_readings("App.\"T\""),
              ElementsAre(name("App", "T"), name("app", "T"), name("App.\"T\"")));
}

TEST(PostgresName, TakesAnythingElseAsTheNameOfOneTable) {
  EXPECT_THAT(postgres_name_readings("\"open"), ElementsAre(name("\"open")));
  EXPECT_THAT(postgres_name_readings("\"a\"b"), ElementsAre(name("\"a\"b")));
  EXPECT_THAT(postgres_name_readings("a.b.c"), ElementsAre(name("a.b.c")));
  EXPECT_THAT(postgres_name_readings(""), ElementsAre(name("")));
}

}  // namespace
}  // namespace tallyman
