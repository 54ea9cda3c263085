#include "store/postgres_schema.h"

#include <gtest/gtest.h>

#include <thread>

#include "db/test_postgres.h"
#include "store/postgres_work.h"

namespace tallyman {
namespace {

class PostgresSchemaTest : public testing::Test {
 protected:
  // Another node, or, of a role that may nothing, a stranger.
  std::unique_ptr<db::PostgresDatabase> connect(const std::string& role = "app") {
    std::string url = database_.url();
    url.replace(url.find("app@"), 4, role + "@");
    auto opened = db::PostgresDatabase::open({.url = url});
    CHECK(opened.ok());
    return std::move(opened).value();
  }
  void as_superuser(const std::string& sql) {
    db::TestPostgresServer::sql(database_.superuser_url(), sql);
  }
  std::unique_ptr<db::PostgresDatabase> stranger() {
    as_superuser(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stranger') "
        "THEN CREATE ROLE stranger LOGIN; END IF; END $$");
    return connect("stranger");
  }
  static void expect_refused(const Result<void>& result, const std::string& words) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(result.error().message.find(words), std::string::npos)
        << result.error().message;
  }

  db::TemporaryPostgres database_;
};

TEST_F(PostgresSchemaTest, TablesAreMadeOnce) {
  EXPECT_TRUE(prepare_postgres_schema(*database_).ok());
  EXPECT_TRUE(prepare_postgres_schema(*database_).ok());
  EXPECT_TRUE(check_postgres_schema(*database_).ok());
}

// What later versions have, taken away again.
TEST_F(PostgresSchemaTest, WhatVersion1MadeGoesOn) {
  ASSERT_TRUE(prepare_postgres_schema(*database_).ok());
  database_.sql(
      "ALTER TABLE tallyman.job DROP COLUMN acting, DROP COLUMN parallel;"
      "ALTER TABLE tallyman.token DROP COLUMN acting; DROP TABLE tallyman.share;"
      "ALTER TABLE tallyman.lease DROP COLUMN wanted;"
      "UPDATE tallyman.meta SET version = 1;"
      "INSERT INTO tallyman.token VALUES ('t', sha256('x'), 'o', '', 0, NULL)");
  EXPECT_FALSE(check_postgres_schema(*database_).ok());
  ASSERT_TRUE(prepare_postgres_schema(*database_).ok());
  EXPECT_TRUE(check_postgres_schema(*database_).ok());
  database_.sql(
      "DO $$ BEGIN ASSERT (SELECT acting FROM tallyman.token) = ''; "
      "ASSERT (SELECT count(parallel) FROM tallyman.job) = 0; "
      "ASSERT (SELECT count(ends) FROM tallyman.share) = 0; "
      "ASSERT (SELECT count(wanted) FROM tallyman.lease) = 0; END $$");
}

TEST_F(PostgresSchemaTest, NodesThatMigrateAtOnceTakeTurns) {
  for (int round = 0; round < 5; ++round) {
    database_.sql("DROP SCHEMA IF EXISTS tallyman CASCADE");
    std::vector<std::unique_ptr<db::PostgresDatabase>> nodes;
    for (int i = 0; i < 4; ++i) nodes.push_back(connect());
    std::vector<std::thread> threads;
    for (const auto& node : nodes) {
      threads.emplace_back([&node] {
        const auto prepared = prepare_postgres_schema(*node);
        EXPECT_TRUE(prepared.ok()) << prepared.error().message;
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_F(PostgresSchemaTest, ANodeDoesNotStartWithoutTables) {
  expect_refused(check_postgres_schema(*database_), "tallyman migrate");
  database_.sql("CREATE SCHEMA tallyman");
  expect_refused(check_postgres_schema(*database_), "tallyman migrate");
  EXPECT_TRUE(prepare_postgres_schema(*database_).ok());
}

TEST_F(PostgresSchemaTest, TablesOfANewerProgramAreRefused) {
  ASSERT_TRUE(prepare_postgres_schema(*database_).ok());
  database_.sql("UPDATE tallyman.meta SET version = version + 1");
  for (const auto& refused :
       {prepare_postgres_schema(*database_), check_postgres_schema(*database_)}) {
    expect_refused(refused, "newer program");
    expect_refused(refused, std::to_string(kPostgresSchemaVersion + 1));
  }
}

TEST_F(PostgresSchemaTest, ASchemaOfSomebodyElseIsLeftAlone) {
  for (const std::string table : {"tallyman.job", "tallyman.meta"}) {
    database_.sql("DROP SCHEMA IF EXISTS tallyman CASCADE; CREATE SCHEMA tallyman");
    database_.sql("CREATE TABLE " + table + " (id int)");
    const auto refused = prepare_postgres_schema(*database_);
    expect_refused(refused, "this program did not make: " + table);
    expect_refused(refused, "RENAME TO");
  }
}

TEST_F(PostgresSchemaTest, ARoleThatMayNotMakeTheSchemaIsToldTheGrant) {
  const auto node = stranger();
  const auto refused = prepare_postgres_schema(*node);
  expect_refused(refused, "GRANT CREATE ON DATABASE ");
  const std::string& words = refused.error().message;
  as_superuser(words.substr(words.find("GRANT")));  // As it is told.
  const auto prepared = prepare_postgres_schema(*node);
  EXPECT_TRUE(prepared.ok()) << prepared.error().message;
  EXPECT_TRUE(check_postgres_schema(*node).ok());
}

TEST_F(PostgresSchemaTest, ARoleThatMayNotUseTheSchemaIsToldTheGrant) {
  ASSERT_TRUE(prepare_postgres_schema(*database_).ok());
  const auto node = stranger();
  expect_refused(prepare_postgres_schema(*node), "GRANT ALL ON SCHEMA tallyman");
  const auto refused = check_postgres_schema(*node);
  expect_refused(refused, "GRANT ALL ON SCHEMA tallyman");
  const std::string& words = refused.error().message;
  as_superuser(words.substr(words.find("GRANT")));
  EXPECT_TRUE(check_postgres_schema(*node).ok());
  EXPECT_TRUE(prepare_postgres_schema(*node).ok());
}

}  // namespace
}  // namespace tallyman
