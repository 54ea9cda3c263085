#include "target/sqlite_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tallyman {
namespace {

using testing::ElementsAre;

TEST(SqliteSql, QuotesNames) {
  EXPECT_EQ(quote_name("a"), "\"a\"");
  EXPECT_EQ(quote_name("a\";--"), "\"a\"\";--\"");
  EXPECT_EQ(quote_table("x.y"), "main.\"x.y\"");
  EXPECT_EQ(quote_text("it's"), "'it''s'");
}

TEST(SqliteSql, FindsTheWordsOfADefinition) {
  EXPECT_THAT(sql_words("create \"on conflict\" (a -- on conflict\n int, /* x */ b "
                        "DEFAULT 'on ''conflict' , [c d] text, `e``f` X'00')"),
              ElementsAre("CREATE", "(", "A", "INT", ",", "B", "DEFAULT", ",", "TEXT",
                          ",", "X", ")"));
  EXPECT_THAT(sql_words("/* never closed"), ElementsAre());
  EXPECT_THAT(sql_words("'never closed"), ElementsAre());
}

TEST(SqliteSql, MakesDefaultsThatMeanTheSameInAStatement) {
  EXPECT_EQ(default_expression(""), "(NULL)");
  EXPECT_EQ(default_expression("0"), "(0\n)");
  EXPECT_EQ(default_expression("'it''s'"), "('it''s'\n)");
  EXPECT_EQ(default_expression("CURRENT_TIMESTAMP"), "(CURRENT_TIMESTAMP\n)");
  EXPECT_EQ(default_expression("true"), "(true\n)");
  EXPECT_EQ(default_expression("word"), "('word')");
  EXPECT_EQ(default_expression("\"it's\"\"\""), "('it''s\"')");
}

TEST(SqliteSql, KnowsConstantDefaults) {
  for (const char* sql : {"", "0", "-1.5", "'now'", "NULL", "TRUE", "word", "\"word\"",
                          "(7)", "x'00'", "1e3"}) {
    EXPECT_TRUE(is_constant_default(sql)) << sql;
  }
  for (const char* sql : {"CURRENT_TIMESTAMP", "current_date", "random()",
                          "datetime('now')", "1 + random()"}) {
    EXPECT_FALSE(is_constant_default(sql)) << sql;
  }
}

}  // namespace
}  // namespace tallyman
