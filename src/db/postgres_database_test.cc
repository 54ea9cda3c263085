#include "db/postgres_database.h"

#include <gtest/gtest.h>

#include "db/test_postgres.h"

namespace tallyman::db {
namespace {

using std::chrono::milliseconds;

std::int64_t count_people(PostgresDatabase& database) {
  auto snapshot = database.begin_read();
  CHECK(snapshot.ok());
  return postgres(*snapshot.value())
      .exec("SELECT count(*) FROM people")
      .value()
      .integer(0, 0);
}

class PostgresDatabaseTest : public testing::Test {
 protected:
  PostgresDatabaseTest() { database_.sql("CREATE TABLE people (id int PRIMARY KEY)"); }

  std::unique_ptr<Transaction> begin(milliseconds wait = milliseconds(1'000)) {
    auto transaction = database_->begin_write(wait);
    CHECK(transaction.ok());
    return std::move(transaction).value();
  }

  TemporaryPostgres database_{{.connections_max = 2}};
};

TEST_F(PostgresDatabaseTest, OnlyWhatIsCommittedStays) {
  auto transaction = begin();
  ASSERT_TRUE(postgres(*transaction).exec("INSERT INTO people VALUES (1)").ok());
  transaction->rollback();
  { ASSERT_TRUE(postgres(*begin()).exec("INSERT INTO people VALUES (2)").ok()); }
  EXPECT_EQ(count_people(*database_), 0);
  transaction = begin();
  ASSERT_TRUE(postgres(*transaction).exec("INSERT INTO people VALUES (3)").ok());
  ASSERT_TRUE(transaction->commit().ok());
  EXPECT_EQ(count_people(*database_), 1);
}

TEST_F(PostgresDatabaseTest, ACommitAfterAFailureIsLost) {
  auto transaction = begin();
  ASSERT_FALSE(postgres(*transaction).exec("SELECT 1 / 0").ok());
  const auto committed = transaction->commit();
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().code, ErrorCode::kLost);
}

TEST_F(PostgresDatabaseTest, ALockThatIsHeldIsUnavailable) {
  const auto holder = begin();
  ASSERT_TRUE(postgres(*holder).exec("LOCK TABLE people").ok());
  const auto other = begin(milliseconds(20));
  const auto refused = postgres(*other).exec("INSERT INTO people VALUES (1)");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(postgres(*other).failure().is("55P03"));
}

TEST_F(PostgresDatabaseTest, AllConnectionsInUseIsUnavailable) {
  const auto one = begin();
  auto two = begin();
  const auto three = database_->begin_write(milliseconds(20));
  ASSERT_FALSE(three.ok());
  EXPECT_EQ(three.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(three.error().message.find("connections_max"), std::string::npos);
  two.reset();
  EXPECT_TRUE(database_->begin_write(milliseconds(20)).ok());
}

TEST_F(PostgresDatabaseTest, IdleConnectionsThatWereClosedAreReplaced) {
  begin().reset();
  TestPostgresServer::sql(
      database_.superuser_url(),
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      "WHERE datname = current_database() AND pid <> pg_backend_pid()");
  EXPECT_EQ(count_people(*database_), 0);
}

TEST_F(PostgresDatabaseTest, ASnapshotStandsStill) {
  const auto snapshot = database_->begin_read();
  ASSERT_TRUE(snapshot.ok());
  auto& reader = postgres(*snapshot.value());
  database_.sql("INSERT INTO people VALUES (1)");
  EXPECT_EQ(reader.exec("SELECT count(*) FROM people").value().integer(0, 0), 0);
}

TEST_F(PostgresDatabaseTest, EveryTransactionSpeaksOneForm) {
  database_.sql(
      "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', "
      "current_database()); EXECUTE format('ALTER DATABASE %I SET datestyle = "
      "''German''', current_database()); EXECUTE format('ALTER DATABASE %I SET "
      "synchronous_commit = off', current_database()); END $$");
  database_.reopen();
  const auto transaction = begin();
  const auto row = postgres(*transaction)
                       .exec(
                           "SELECT '2024-01-31 10:00:00+00'::timestamptz, "
                           "current_setting('synchronous_commit')");
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row.value().text(0, 0), "2024-01-31 10:00:00+00");
  EXPECT_EQ(row.value().text(0, 1), "on");
}

TEST_F(PostgresDatabaseTest, ATransactionThatStandsIdleIsEnded) {
  TemporaryPostgres impatient({.idle_in_writing_time = milliseconds(50)});
  auto transaction = impatient->begin_write(milliseconds(1'000));
  ASSERT_TRUE(transaction.ok());
  auto& connection = postgres(*transaction.value());
  const auto notified = connection.wait_for_notification(milliseconds(5'000));
  ASSERT_FALSE(notified.ok());
  EXPECT_EQ(connection.exec("SELECT 1").error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace tallyman::db
