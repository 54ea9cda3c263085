#include "app/token_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "db/sqlite.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

class TokenCommandsTest : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/tallyman_token_XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    folder_ = path;
    ASSERT_TRUE(db::SqliteConnection::open({.path = folder_ + "/app.db", .create = true})
                    .value()
                    ->exec("CREATE TABLE people (id INTEGER PRIMARY KEY)")
                    .ok());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string url() const { return "sqlite:" + folder_ + "/app.db"; }

  int create(const std::string& name, std::vector<std::string> scopes,
             std::optional<std::chrono::milliseconds> expires = std::nullopt) {
    Console console{out_, err_, false, clock_};
    return run_token_create({.database = url(),
                             .name = name,
                             .owner = "etl",
                             .scopes = std::move(scopes),
                             .expires = expires},
                            random_, console);
  }
  std::string list() {
    std::ostringstream out;
    Console console{out, err_, false, clock_};
    EXPECT_EQ(run_token_list({.database = url()}, random_, console), 0) << err_.str();
    return out.str();
  }
  int revoke(const std::string& name) {
    Console console{out_, err_, false, clock_};
    return run_token_revoke({.database = url(), .name = name}, random_, console);
  }

  std::string folder_;
  SystemClock clock_;
  SystemRandom random_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(TokenCommandsTest, OnSqliteNobodyCanBeActedAs) {
  const auto refusal = [&](std::string role, std::vector<std::string> claims) {
    err_.str("");
    Console console{out_, err_, false, clock_};
    EXPECT_NE(run_token_create({.database = url(),
                                .name = "n",
                                .owner = "o",
                                .scopes = {"*"},
                                .role = std::move(role),
                                .claims = std::move(claims),
                                .expires = std::nullopt},
                               random_, console),
              0);
    return err_.str();
  };
  EXPECT_THAT(refusal("tenant", {}), HasSubstr("SQLite has no roles"));
  EXPECT_THAT(refusal("", {"app.tenant=1"}), HasSubstr("SQLite has no roles"));
  EXPECT_THAT(refusal("", {"app.tenant"}), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(refusal("", {"app.a=1", "app.a=2"}), HasSubstr("twice"));
  EXPECT_THAT(refusal("", {"search_path=x"}), HasSubstr("search_path"));
}

TEST_F(TokenCommandsTest, PrintsTheTokenAndNothingElse) {
  ASSERT_EQ(create("nightly", {"people:insert", "people:read"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), testing::MatchesRegex("tly_[A-Za-z0-9_-]+\n"));
  EXPECT_EQ(err_.str(), "");
  const std::string secret = out_.str().substr(0, out_.str().size() - 1);
  EXPECT_THAT(list(), HasSubstr("nightly  etl    -     never"));
  EXPECT_THAT(list(), HasSubstr("people:insert people:read"));
  EXPECT_THAT(list(), testing::Not(HasSubstr(secret)));
}

TEST_F(TokenCommandsTest, RefusesAScopeThatIsNone) {
  EXPECT_EQ(create("bad", {"people:drop"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("'people:drop' is not a scope"));
  EXPECT_EQ(out_.str(), "");
}

TEST_F(TokenCommandsTest, RefusesANameThatIsTaken) {
  EXPECT_EQ(create("ann", {"*"}), 0);
  EXPECT_EQ(create("ann", {"*"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("ann"));
}

TEST_F(TokenCommandsTest, EndsATokenOnce) {
  EXPECT_EQ(create("ann", {"*"}, std::chrono::hours(720)), 0);
  EXPECT_THAT(list(), HasSubstr("ann "));
  EXPECT_EQ(revoke("ann"), 0);
  EXPECT_THAT(list(), testing::Not(HasSubstr("ann ")));
  EXPECT_EQ(revoke("ann"), 2);
}

TEST_F(TokenCommandsTest, MakesNoDatabaseOutOfATypingError) {
  std::filesystem::remove(folder_ + "/app.db");
  EXPECT_EQ(create("ann", {"*"}), 2);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace tallyman
