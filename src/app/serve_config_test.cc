#include "app/serve_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tallyman {
namespace {

using testing::HasSubstr;

TEST(ServeConfigTest, IsMadeOfTheCommandLine) {
  const ConfigReading reading = read_serve_config({.database = "sqlite:app.db",
                                                   .expose = {"people", "orders"},
                                                   .listen = "0.0.0.0:80",
                                                   .insecure = true,
                                                   .workers = 3,
                                                   .log_level = "debug"});
  ASSERT_EQ(to_text("", reading.mistakes), "");
  EXPECT_EQ(reading.config.database, "sqlite:app.db");
  ASSERT_EQ(reading.config.resources.size(), 2U);
  EXPECT_EQ(reading.config.resources[1].rules.name, "orders");
  EXPECT_EQ(reading.config.resources[1].rules.table, "orders");
  EXPECT_EQ(reading.config.listen.port, 80);
  EXPECT_TRUE(reading.config.insecure);
  EXPECT_EQ(reading.config.workers, 3U);
  EXPECT_EQ(reading.config.log_level, LogLevel::kDebug);
}

TEST(ServeConfigTest, TellsWhatIsWrongOnTheCommandLine) {
  const ConfigReading reading = read_serve_config({.database = "sqlite:app.db",
                                                   .expose = {"jobs"},
                                                   .listen = "nowhere",
                                                   .tls_certificate = "a.pem",
                                                   .log_level = "loud"});
  const std::string text = to_text(reading.config.file, reading.mistakes);
  EXPECT_THAT(text, HasSubstr("command line: --expose: \"jobs\" cannot be"));
  EXPECT_THAT(text, HasSubstr("command line: --listen must be"));
  EXPECT_THAT(text, HasSubstr("command line: --tls-certificate and --tls-key"));
  EXPECT_THAT(text, HasSubstr("command line: --log-level must be"));
}

TEST(ServeConfigTest, LeavesTheWorkToOthersOnPostgresAlone) {
  const auto mistakes = [](const char* database, std::uint64_t workers) {
    const ConfigReading reading = read_serve_config(
        {.database = database, .expose = {"people"}, .workers = workers});
    return to_text("", reading.mistakes);
  };
  EXPECT_EQ(mistakes("postgresql://app@host/shop", 0), "");
  EXPECT_THAT(mistakes("sqlite:app.db", 0), HasSubstr("--workers 0 needs PostgreSQL"));
}

TEST(ServeConfigTest, WorkersAloneNeedPostgres) {
  const auto mistakes = [](const char* database) {
    const ConfigReading reading =
        read_work_config({.node = {.database = database, .expose = {"people"}}});
    return to_text("", reading.mistakes);
  };
  EXPECT_EQ(mistakes("postgresql://app@host/shop"), "");
  EXPECT_THAT(mistakes("sqlite:app.db"), HasSubstr("tallyman work needs PostgreSQL"));
}

}  // namespace
}  // namespace tallyman
