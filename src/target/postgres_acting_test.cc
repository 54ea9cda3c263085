#include "target/postgres_acting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/test_postgres.h"

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PostgresActingTest : public testing::Test {
 protected:
  // Roles are the server's, not the database's: those of an earlier test are there.
  void SetUp() override {
    superuser(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'guest') THEN "
        "CREATE ROLE guest; CREATE ROLE stranger; GRANT guest TO app; END IF; END $$");
  }
  void superuser(const std::string& statements) {
    db::TestPostgresServer::sql(database_.superuser_url(), statements);
  }
  static std::string ask(db::PostgresConnection& connection, const std::string& sql) {
    const auto rows = connection.exec(sql);
    EXPECT_TRUE(rows.ok()) << rows.error().message;
    return rows.ok() ? std::string(rows.value().text(0, 0)) : std::string();
  }

  db::TemporaryPostgres database_;
};

TEST_F(PostgresActingTest, IsForAStretchOfATransaction) {
  auto transaction = database_->begin_write(std::chrono::seconds(5)).value();
  auto& connection = db::postgres(*transaction);
  const ActingAs as{
      .role = "guest",
      .claims = {{"app.User", "it's \"me\""}, {"request.jwt.claims", "{}"}}};
  ASSERT_TRUE(begin_acting(connection, as).ok());
  EXPECT_EQ(ask(connection, "SELECT current_user"), "guest");
  EXPECT_EQ(ask(connection, "SELECT current_setting('app.user')"), "it's \"me\"");
  ASSERT_TRUE(connection.exec("SAVEPOINT s").ok());
  EXPECT_FALSE(connection.exec("SELECT 1 / 0").ok());
  ASSERT_TRUE(connection.exec("ROLLBACK TO s").ok());
  EXPECT_EQ(ask(connection, "SELECT current_user"), "guest")
      << "whatever is undone in it";
  ASSERT_TRUE(end_acting(connection, as).ok());
  EXPECT_EQ(ask(connection, "SELECT current_user"), "app");
  EXPECT_EQ(ask(connection, "SELECT current_setting('app.user')"), "");
  EXPECT_EQ(ask(connection, "SELECT current_setting('request.jwt.claims')"), "");
}

TEST_F(PostgresActingTest, ChecksWhatIsDeferredAsTheRole) {
  database_.sql(
      "CREATE TABLE t (id int, CONSTRAINT once UNIQUE (id) DEFERRABLE INITIALLY "
      "DEFERRED);"
      "GRANT ALL ON t TO guest");
  auto transaction = database_->begin_write(std::chrono::seconds(5)).value();
  auto& connection = db::postgres(*transaction);
  const ActingAs as{.role = "guest", .claims = {}};
  ASSERT_TRUE(begin_acting(connection, as).ok());
  ASSERT_TRUE(connection.exec("INSERT INTO t VALUES (1), (1)").ok());
  const auto ended = end_acting(connection, as);
  ASSERT_FALSE(ended.ok());
  EXPECT_THAT(ended.error().message, HasSubstr("once"));
}

TEST_F(PostgresActingTest, SaysWhyItCannot) {
  const auto refusal = [&](const ActingAs& as) {
    auto transaction = database_->begin_read().value();
    auto& connection = db::postgres(*transaction);
    // Until then its settings are nobody's.
    EXPECT_TRUE(connection.exec("DO LANGUAGE plpgsql $$ BEGIN END $$").ok());
    const auto begun = begin_acting(connection, as);
    EXPECT_FALSE(begun.ok());
    EXPECT_EQ(begun.error().code, ErrorCode::kForbidden);
    EXPECT_EQ(begun.error().detail_code, "ROLE_NOT_AVAILABLE");
    return begun.error().message;
  };
  EXPECT_THAT(refusal({.role = "stranger", .claims = {}}),
              HasSubstr("GRANT \"stranger\""));
  EXPECT_THAT(refusal({.role = "no'body", .claims = {}}), HasSubstr("CREATE ROLE"));
  EXPECT_THAT(refusal({.role = "guest", .claims = {{"plpgsql.extra_errors", "x"}}}),
              HasSubstr("claims"));
}

TEST_F(PostgresActingTest, TellsTheRightsOfTheRole) {
  database_.sql(
      "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (t int);"
      "CREATE TABLE t (id serial PRIMARY KEY, a int REFERENCES parent, gone int, b int);"
      "ALTER TABLE child ADD FOREIGN KEY (t) REFERENCES t; ALTER TABLE t DROP gone;"
      "GRANT INSERT (a), UPDATE (b), SELECT (id) ON t TO guest;"
      "GRANT SELECT ON child TO guest");
  auto transaction = database_->begin_read().value();
  auto& connection = db::postgres(*transaction);
  PostgresTable table = read_postgres_table(connection, "t").value();
  ASSERT_TRUE(table.sequence.has_value());
  const ActingAs as{.role = "guest", .claims = {}};
  ASSERT_TRUE(begin_acting(connection, as).ok());
  ASSERT_TRUE(read_postgres_rights(connection, table).ok());
  ASSERT_TRUE(table.rights.has_value());
  EXPECT_TRUE(table.rights->use_schema);
  EXPECT_FALSE(table.rights->lock || table.rights->remove || table.rights->read);
  EXPECT_THAT(table.rights->insert, ElementsAre(false, true, false));
  EXPECT_THAT(table.rights->update, ElementsAre(false, false, true));
  EXPECT_THAT(table.rights->select, ElementsAre(true, false, false));
  EXPECT_THAT(table.hidden, ElementsAre("\"public\".\"parent\""));
  EXPECT_FALSE(table.sequence.has_value()) << "it may not draw from it";
}

}  // namespace
}  // namespace tallyman
