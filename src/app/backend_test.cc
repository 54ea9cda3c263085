// What a database is opened as: by whom, with which tables, and where its uploads lie.
#include "app/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "app/engine.h"
#include "app/migrate_command.h"
#include "db/test_database.h"
#include "db/test_postgres.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

class BackendTest : public testing::Test {
 protected:
  ServerConfig sqlite_config() {
    { const auto made = db::SqliteDatabase::open({.path = file_, .create = true}); }
    ServerConfig config;
    config.database = "sqlite:" + file_;
    config.listen.port = 0;
    return config;
  }
  ServerConfig postgres_config() const {
    ServerConfig config;
    config.database = postgres_.url();
    config.scratch_folder = folder_.path();
    config.listen.port = 0;
    return config;
  }
  Result<Backend> open(const ServerConfig& config) {
    return open_backend(config, clock_, random_);
  }
  // The exit code; what was said is in `said_`.
  int migrate(const std::string& url) {
    std::ostringstream said;
    Console console{said, said, false, clock_};
    const int code = run_migrate({.config_file = "", .database = url}, console);
    said_ = said.str();
    return code;
  }

  SystemClock clock_;
  SystemRandom random_;
  db::TemporaryFolder folder_;
  const std::string file_ = folder_.file("app.db");
  db::TemporaryPostgres postgres_;
  std::string said_;
};

TEST_F(BackendTest, ASqliteFileIsOneProcesss) {
  const auto first = open(sqlite_config());
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_TRUE(first.value().lock);
  EXPECT_EQ(open(sqlite_config()).error().code, ErrorCode::kConflict);
}

TEST_F(BackendTest, APostgresDatabaseIsAnyNumberOfProcesses) {
  const auto first = open(postgres_config());
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto second = open(postgres_config());
  ASSERT_TRUE(second.ok()) << second.error().message;
}

TEST_F(BackendTest, NodesWhoseUploadsLieElsewhereAreRefused) {
  ServerConfig on_disk = postgres_config();
  on_disk.payload = PayloadPlace::kDisk;
  on_disk.payload_folder = folder_.file("uploads");
  ASSERT_TRUE(open(on_disk).ok());
  EXPECT_TRUE(open(on_disk).ok());
  EXPECT_EQ(open(postgres_config()).error().code, ErrorCode::kConflict);
  on_disk.payload_folder = folder_.file("others");
  EXPECT_EQ(open(on_disk).error().code, ErrorCode::kConflict);
}

TEST_F(BackendTest, MigratingTwiceIsMigratingOnce) {
  sqlite_config();
  for (const std::string& url : {"sqlite:" + file_, postgres_.url()}) {
    EXPECT_EQ(migrate(url), 0) << said_;
    EXPECT_EQ(migrate(url), 0) << said_;
    EXPECT_THAT(said_, HasSubstr("up to date"));
  }
  EXPECT_TRUE(open(postgres_config()).ok());
}

TEST_F(BackendTest, ARoleThatMayMakeNoSchemaUsesWhatTheOwnerMade) {
  db::TestPostgresServer::sql(postgres_.superuser_url(),
                              "DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN");
  ServerConfig config = postgres_config();
  config.database.replace(config.database.find("app@"), 4, "guest@");
  const auto refused = open(config);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("GRANT"));

  ASSERT_EQ(migrate(postgres_.url()), 0);
  postgres_.sql(
      "GRANT ALL ON SCHEMA tallyman TO guest;"
      "GRANT ALL ON ALL TABLES IN SCHEMA tallyman TO guest");
  const auto opened = open(config);
  EXPECT_TRUE(opened.ok()) << opened.error().message;
  db::TestPostgresServer::sql(postgres_.superuser_url(),
                              "DROP OWNED BY guest; DROP ROLE guest");
}

TEST_F(BackendTest, OfNodesThatStartAtOnceOneShowsTheFirstToken) {
  std::vector<std::unique_ptr<Engine>> engines(4);
  std::vector<std::thread> threads;
  for (auto& engine : engines) {
    threads.emplace_back([&] {
      auto started = Engine::start(postgres_config());
      ASSERT_TRUE(started.ok()) << started.error().message;
      engine = std::move(started).value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  int shown = 0;
  for (const auto& engine : engines) shown += engine->first_token().empty() ? 0 : 1;
  EXPECT_EQ(shown, 1);
  auto tokens = open_tokens(postgres_.url(), clock_, random_);
  ASSERT_TRUE(tokens.ok());
  EXPECT_EQ(tokens.value().tokens->list().value().size(), 1u);
  for (const auto& engine : engines) engine->stop(std::chrono::seconds(1));
}

TEST_F(BackendTest, ANodeThatOnlyWorksListensNowhere) {
  ServerConfig config = postgres_config();
  config.node = "north";
  auto started = Engine::start(config, NodeRole::kWork);
  ASSERT_TRUE(started.ok()) << started.error().message;
  EXPECT_EQ(started.value()->url(), "");
  EXPECT_EQ(started.value()->name(), "north");
  EXPECT_EQ(started.value()->first_token(), "");
  started.value()->stop(std::chrono::seconds(1));
}

}  // namespace
}  // namespace tallyman
