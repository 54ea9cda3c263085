#include "app/config_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/check_config_command.h"
#include "db/sqlite.h"

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/tallyman_check_XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    folder_ = path;
    auto connection =
        db::SqliteConnection::open({.path = folder_ + "/app.db", .create = true});
    ASSERT_TRUE(connection.ok()) << connection.error().message;
    ASSERT_TRUE(connection.value()
                    ->exec("CREATE TABLE transactions (id INTEGER PRIMARY KEY, amount "
                           "DECIMAL(10,2) NOT NULL, category TEXT, booked DATE);"
                           "CREATE TABLE notes (text TEXT);")
                    .ok());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string url() const { return "sqlite:" + folder_ + "/app.db"; }

  std::vector<std::string> mistakes_of(const std::string& resources) {
    const ConfigReading reading =
        read_config_text("database = \"" + url() + "\"\n" + resources, "t.toml");
    EXPECT_EQ(to_text("t.toml", reading.mistakes), "");
    const auto catalogue = open_catalogue(url());
    EXPECT_TRUE(catalogue.ok());
    std::vector<std::string> out;
    for (const ConfigMistake& mistake :
         check_against(reading.config, catalogue.value())) {
      out.push_back(std::to_string(mistake.line) + ": " + mistake.message);
    }
    return out;
  }

  std::string folder_;
};

TEST_F(ConfigCheckTest, IsSilentAboutWhatIsRight) {
  EXPECT_THAT(mistakes_of(R"([resources.transactions]
only = ["amount", "category"]
fields.amount = { min = 0 }
fields.category = { choices = ["Food"], max_length = 10, pattern = "[A-Z]+" }
aggregates.a = { type = "sum", field = "amount", group_by = "category" }
)"),
              IsEmpty());
}

TEST_F(ConfigCheckTest, NamesTablesAndFieldsThatAreNotThere) {
  EXPECT_THAT(
      mistakes_of(R"([resources.money]
table = "transaction"
[resources.transactions]
only = ["amout", "category"]
fields.categry = { choices = ["Food"] }
aggregates.a = { type = "sum", field = "amount", group_by = "nothing_like_it" }
)"),
      ElementsAre(
          "3: resources.money: the database has no table \"transaction\"; did you mean "
          "\"transactions\"?",
          "4: resources.transactions.only leaves out \"amount\", which has no default "
          "and may not be NULL: no row could ever be created",
          "5: resources.transactions.only: table \"transactions\" has no field "
          "\"amout\"; did you mean \"amount\"?",
          "6: resources.transactions.fields.categry: table \"transactions\" has no "
          "field \"categry\"; did you mean \"category\"?",
          "7: resources.transactions.aggregates.a.group_by: table \"transactions\" has "
          "no field \"nothing_like_it\""));
}

TEST_F(ConfigCheckTest, RefusesRulesThatDoNotFitTheType) {
  EXPECT_THAT(
      mistakes_of(R"([resources.transactions]
fields.amount = { max_length = 3, choices = ["1.5", "many"] }
fields.category = { max = 3 }
aggregates.a = { type = "avg", field = "booked" }
)"),
      ElementsAre(HasSubstr("3: resources.transactions.fields.amount: max_length needs "
                            "a text, and the type of \"amount\" is decimal"),
                  HasSubstr("3: resources.transactions.fields.amount: choices holds "
                            "what cannot be decimal"),
                  HasSubstr("4: resources.transactions.fields.category: max needs a "
                            "number"),
                  HasSubstr("5: resources.transactions.aggregates.a.field: avg needs a "
                            "number, and the type of \"booked\" is date")));
}

TEST_F(ConfigCheckTest, RefusesAFieldThatIsNeededAndReadOnly) {
  EXPECT_THAT(
      mistakes_of("[resources.transactions]\nread_only = [\"amount\"]\n"),
      ElementsAre(HasSubstr("3: resources.transactions: \"amount\" is read-only")));
  EXPECT_THAT(mistakes_of("[resources.transactions]\nread_only = [\"amount\"]\n"
                          "operations = [\"update\"]\n"),
              IsEmpty());
}

TEST_F(ConfigCheckTest, RefusesKeyedOperationsOnATableWithoutAKey) {
  EXPECT_THAT(
      mistakes_of("[resources.notes]\noperations = [\"insert\", \"update\"]\n"),
      ElementsAre(HasSubstr("2: resources.notes.operations: update needs a key")));
  EXPECT_THAT(mistakes_of("[resources.notes]\noperations = [\"insert\"]\n"), IsEmpty());
}

class CheckConfigCommandTest : public ConfigCheckTest {
 protected:
  int check(const std::string& text) {
    const std::string path = folder_ + "/t.toml";
    std::ofstream(path) << text;
    const SystemClock clock;
    Console console{out_, err_, false, clock};
    return run_check_config({.file = path}, console);
  }

  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CheckConfigCommandTest, ShowsMistakesOfTheFileAndOfTheDatabaseTogether) {
  EXPECT_EQ(
      check("database = \"" + url() + "\"\nworkers = 300\n[resources.transaction]\n"), 2);
  EXPECT_THAT(err_.str(), HasSubstr("t.toml:2: workers must be"));
  EXPECT_THAT(err_.str(),
              HasSubstr("t.toml:3: resources.transaction: the database has no"));
  EXPECT_EQ(out_.str(), "");
}

TEST_F(CheckConfigCommandTest, NamesADatabaseThatIsNotThereAndMakesNone) {
  EXPECT_EQ(check("\ndatabase = \"sqlite:" + folder_ + "/none.db\"\n[resources.x]\n"), 2);
  EXPECT_THAT(err_.str(), HasSubstr("t.toml:2: database: "));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/none.db"));
}

TEST_F(CheckConfigCommandTest, EndsWithZeroWhenAllIsGood) {
  EXPECT_EQ(check("database = \"" + url() + "\"\n[resources.transactions]\n"), 0);
  EXPECT_THAT(out_.str(), HasSubstr("good, 1 resource\n"));
  EXPECT_EQ(err_.str(), "");
}

}  // namespace
}  // namespace tallyman
