#include "db/sqlite.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "db/test_database.h"

namespace tallyman::db {
namespace {

class SqliteTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = SqliteConnection::open({.path = folder_.file("a.db"), .create = true});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    connection_ = std::move(opened).value();
    exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
  }

  void exec(const char* sql) {
    const auto done = connection_->exec(sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  SqliteStatement prepare(std::string_view sql) {
    auto prepared = connection_->prepare(sql);
    CHECK(prepared.ok());
    return std::move(prepared).value();
  }
  std::string pragma(const std::string& name) {
    auto statement = prepare("PRAGMA " + name);
    CHECK(statement.step().value());
    return std::string(statement.text(0));
  }

  TemporaryFolder folder_;
  std::unique_ptr<SqliteConnection> connection_;
};

TEST_F(SqliteTest, HasTheSettingsThatDurabilityRestsOn) {
  EXPECT_EQ(pragma("journal_mode"), "wal");
  EXPECT_EQ(pragma("synchronous"), "2");
  EXPECT_EQ(pragma("foreign_keys"), "1");
  EXPECT_EQ(pragma("temp_store"), "1");
  EXPECT_EQ(pragma("recursive_triggers"), "0");
}

TEST_F(SqliteTest, GivesBackWhatWasBound) {
  const std::string with_nul("a\0b", 3);
  const std::vector<std::uint8_t> bytes{0, 255, 7};
  auto statement = prepare("SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7");
  statement.bind_all(INT64_MIN, 0.5, with_nul, bytes, std::nullopt, std::string_view(),
                     std::optional<std::int64_t>(9));
  ASSERT_TRUE(statement.step().value());
  EXPECT_EQ(statement.column_count(), 7);
  EXPECT_EQ(statement.integer(0), INT64_MIN);
  EXPECT_EQ(statement.number(1), 0.5);
  EXPECT_EQ(statement.text(2), with_nul);
  EXPECT_EQ(std::vector(statement.blob(3).begin(), statement.blob(3).end()), bytes);
  EXPECT_TRUE(statement.is_null(4));
  EXPECT_EQ(statement.optional_integer(4), std::nullopt);
  EXPECT_EQ(statement.type(5), SqliteType::kText);  // Empty, not NULL.
  EXPECT_EQ(statement.optional_integer(6), 9);
  EXPECT_FALSE(statement.step().value());
}

TEST_F(SqliteTest, CopiesTemporaries) {
  auto statement = prepare("SELECT ?1, ?2");
  statement.bind_all(std::string(100, 'x'), std::vector<std::uint8_t>(100, 7));
  ASSERT_TRUE(statement.step().value());
  EXPECT_EQ(statement.text(0), std::string(100, 'x'));
  EXPECT_EQ(statement.blob(1).size(), 100u);
  EXPECT_EQ(statement.blob(1)[99], 7);
}

TEST_F(SqliteTest, CompilesTheSameTextOnce) {
  sqlite3_stmt* first = prepare("SELECT 1").handle();
  EXPECT_EQ(prepare("SELECT 1").handle(), first);
  auto held = prepare("SELECT 1");
  auto beside = prepare("SELECT 1");
  EXPECT_EQ(held.handle(), first);
  EXPECT_NE(beside.handle(), first);
}

TEST_F(SqliteTest, ForgetsBindingsOfTheLastUser) {
  prepare("SELECT ?1").bind_all(5);
  auto statement = prepare("SELECT ?1");
  ASSERT_TRUE(statement.step().value());
  EXPECT_TRUE(statement.is_null(0));
}

TEST_F(SqliteTest, KeepsStatementsInUseWhenTheCacheIsFull) {
  auto held = prepare("SELECT 42");
  for (int i = 0; i < 1'000; ++i) prepare("SELECT " + std::to_string(1'000 + i));
  ASSERT_TRUE(held.step().value());
  EXPECT_EQ(held.integer(0), 42);
}

TEST_F(SqliteTest, CountsChangesAndNamesTheNewRow) {
  auto insert = prepare("INSERT INTO t (v) VALUES (?1), (?1)");
  insert.bind_all(1);
  ASSERT_TRUE(insert.run().ok());
  EXPECT_EQ(connection_->changes(), 2);
  EXPECT_EQ(connection_->last_insert_rowid(), 2);
}

TEST_F(SqliteTest, NamesTheConstraintAndNeverTheValue) {
  exec("CREATE TABLE u (secret TEXT UNIQUE CHECK (length(secret) > 2))");
  for (const std::string_view value : {"canary", "canary", "x"}) {
    auto insert = prepare("INSERT INTO u VALUES (?1)");
    insert.bind_all(value);
    const auto done = insert.run();
    if (done.ok()) continue;
    EXPECT_EQ(done.error().code, ErrorCode::kConflict);
    EXPECT_NE(done.error().message.find("secret"), std::string::npos);
    EXPECT_EQ(done.error().message.find("canary"), std::string::npos);
  }
  auto twice = prepare("INSERT INTO u VALUES ('canary')");
  EXPECT_EQ(twice.step_code(), SQLITE_CONSTRAINT_UNIQUE);
  EXPECT_EQ(connection_->extended_error_code(), SQLITE_CONSTRAINT_UNIQUE);
}

TEST_F(SqliteTest, DropsTextsThatMayQuoteAValue) {
  auto statement = prepare("SELECT json_extract('{}', ?1)");
  statement.bind_all("canary");
  const auto row = statement.step();
  ASSERT_FALSE(row.ok());
  EXPECT_EQ(row.error().message.find("canary"), std::string::npos);
}

TEST_F(SqliteTest, RefusesSqlThatDoesNotCompile) {
  const auto prepared = connection_->prepare("SELECT * FROM nowhere");
  ASSERT_FALSE(prepared.ok());
  EXPECT_NE(prepared.error().message.find("no such table: nowhere"), std::string::npos);
}

TEST_F(SqliteTest, KnowsWhetherATransactionIsOpen) {
  EXPECT_TRUE(connection_->autocommit());
  exec("BEGIN");
  EXPECT_FALSE(connection_->autocommit());
  exec("ROLLBACK");
  EXPECT_TRUE(connection_->autocommit());
}

TEST_F(SqliteTest, AReadOnlyConnectionReadsAndHasTemporaryTables) {
  auto reader = SqliteConnection::open({.path = folder_.file("a.db"), .read_only = true});
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  EXPECT_TRUE(
      reader.value()->exec("CREATE TEMP TABLE x (i); INSERT INTO x VALUES (1)").ok());
  EXPECT_TRUE(reader.value()->exec("SELECT * FROM t").ok());
  EXPECT_FALSE(reader.value()->exec("INSERT INTO t (v) VALUES (1)").ok());
}

TEST(SqliteOpen, NamesAMissingFile) {
  const auto opened = SqliteConnection::open({.path = "/nonexistent/app.db"});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
  EXPECT_NE(opened.error().message.find("/nonexistent/app.db"), std::string::npos);
}

TEST(SqliteOpen, RefusesAFileOfAnotherKind) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("letter.db")) << std::string(5'000, 'x');
  const auto opened = SqliteConnection::open({.path = folder.file("letter.db")});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(opened.error().message.find("not a SQLite database"), std::string::npos);
}

TEST(SqliteOpen, RefusesAFileThatCannotBeWritten) {
  const TemporaryFolder folder;
  ASSERT_TRUE(SqliteConnection::open({.path = folder.file("a.db"), .create = true}).ok());
  ASSERT_EQ(chmod(folder.file("a.db").c_str(), 0444), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  // The administrator may write anything: be somebody else meanwhile.
  const bool was_root = geteuid() == 0;
  if (was_root) CHECK(seteuid(65534) == 0);
  const auto opened = SqliteConnection::open({.path = folder.file("a.db")});
  if (was_root) CHECK(seteuid(0) == 0);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(opened.error().message.find("cannot be written"), std::string::npos);
}

TEST(SqliteError, SaysWhatACodeMeansForTheCaller) {
  EXPECT_EQ(sqlite_error(SQLITE_BUSY_SNAPSHOT).code, ErrorCode::kUnavailable);
  EXPECT_EQ(sqlite_error(SQLITE_LOCKED).code, ErrorCode::kUnavailable);
  EXPECT_EQ(sqlite_error(SQLITE_FULL).code, ErrorCode::kOutOfSpace);
  EXPECT_EQ(sqlite_error(SQLITE_IOERR_FSYNC).code, ErrorCode::kUnavailable);
  EXPECT_EQ(sqlite_error(SQLITE_CONSTRAINT_CHECK).code, ErrorCode::kConflict);
  EXPECT_EQ(sqlite_error(SQLITE_CORRUPT_INDEX).code, ErrorCode::kInternal);
  EXPECT_EQ(sqlite_error(SQLITE_BUSY).message.find("locked"), std::string::npos);
}

}  // namespace
}  // namespace tallyman::db
