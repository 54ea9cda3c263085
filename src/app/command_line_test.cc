#include "app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "app/command_help.h"

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kId = "01890a5d-ac96-774b-bcce-b302099a8057";

// Words as a shell splits them: by spaces, with '...' and "..." as one.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (const char byte : line) {
    if (quote != 0) {
      if (byte == quote) {
        quote = 0;
      } else {
        word += byte;
      }
    } else if (byte == '\'' || byte == '"') {
      quote = byte;
      in_word = true;
    } else if (byte != ' ') {
      word += byte;
      in_word = true;
    } else if (in_word) {
      words.push_back(std::move(word));
      word.clear();
      in_word = false;
    }
  }
  if (in_word) words.push_back(word);
  return words;
}

std::vector<std::string> examples_in(const std::string& help) {
  std::vector<std::string> examples;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    const auto begin = line.find_first_not_of(' ');
    if (begin >= 2 && begin != std::string::npos &&
        line.substr(begin).starts_with("tallyman ")) {
      examples.push_back(line.substr(begin + std::string_view("tallyman ").size()));
    }
  }
  return examples;
}

template <class Expected>
Expected parsed(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(arguments);
  EXPECT_TRUE(line.command) << line.text;
  return line.command ? std::get<Expected>(*line.command) : Expected{};
}

class CommandLineTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"TALLYMAN_URL", "TALLYMAN_TOKEN", "TALLYMAN_CA_FILE"}) {
      ::unsetenv(name);
    }
  }
};

TEST_F(CommandLineTest, TakesEveryExampleOfItsHelp) {
  std::size_t count = 0;
  for (const char* command :
       {"serve", "load", "jobs", "status", "results", "aggregates", "abort", "retry",
        "token create", "token list", "token revoke", "check-config", "routes"}) {
    const auto examples = examples_in(help_end(command));
    EXPECT_FALSE(examples.empty()) << command;
    for (const std::string& example : examples) {
      EXPECT_TRUE(example.starts_with(command)) << example;
      const CommandLine line = parse_command_line(words_of(example));
      EXPECT_TRUE(line.command) << example << "\n" << line.text;
      ++count;
    }
  }
  EXPECT_GT(count, 20U);
  for (const std::string& example : examples_in(program_help_end())) {
    if (example.ends_with("--help")) continue;
    EXPECT_TRUE(parse_command_line(words_of(example)).command) << example;
  }
}

TEST_F(CommandLineTest, ShowsTheHelpOfACommand) {
  const CommandLine line = parse_command_line({"load", "--help"});
  EXPECT_FALSE(line.command);
  EXPECT_EQ(line.exit_code, 0);
  EXPECT_THAT(line.text, HasSubstr("--unique-fields"));
  EXPECT_THAT(line.text, HasSubstr("tallyman load people.csv --resource people --wait"));
}

TEST_F(CommandLineTest, ShowsItsVersion) {
  const CommandLine line = parse_command_line({"--version"});
  EXPECT_EQ(line.exit_code, 0);
  EXPECT_THAT(line.text, testing::StartsWith("tallyman "));
}

TEST_F(CommandLineTest, ReadsALoad) {
  const auto load = parsed<LoadCommand>({"load",
                                         "--unique-fields",
                                         "a,b",
                                         "people.csv",
                                         "--resource",
                                         "people",
                                         "--operation",
                                         "upsert",
                                         "--update-fields",
                                         "c",
                                         "--delimiter",
                                         "tab",
                                         "--on-duplicate",
                                         "last",
                                         "--mode",
                                         "atomic",
                                         "--dry-run",
                                         "--max-errors",
                                         "5",
                                         "--wait",
                                         "--results",
                                         "r.csv",
                                         "--resume",
                                         kId,
                                         "--url",
                                         "https://x",
                                         "--token",
                                         "t"});
  EXPECT_EQ(load.file, "people.csv");
  EXPECT_EQ(load.resource, "people");
  EXPECT_EQ(load.operation, Operation::kUpsert);
  EXPECT_THAT(load.options.unique_fields, ElementsAre("a", "b"));
  EXPECT_THAT(load.options.update_fields.value(), ElementsAre("c"));
  EXPECT_EQ(load.options.format.delimiter, '\t');
  EXPECT_EQ(load.options.on_duplicate, OnDuplicate::kLast);
  EXPECT_TRUE(load.options.atomic);
  EXPECT_TRUE(load.options.dry_run);
  EXPECT_EQ(load.options.max_errors, 5U);
  EXPECT_TRUE(load.wait);
  EXPECT_EQ(load.results_file, "r.csv");
  EXPECT_EQ(load.resume->to_string(), kId);
  EXPECT_EQ(load.server.url, "https://x");
  EXPECT_EQ(load.server.token, "t");
}

TEST_F(CommandLineTest, LoadsStandardInput) {
  EXPECT_EQ(parsed<LoadCommand>({"load", "-", "--resource", "r"}).file, "-");
}

TEST_F(CommandLineTest, TakesTheServerFromTheEnvironment) {
  EXPECT_EQ(parsed<JobsCommand>({"jobs"}).server.url, "http://127.0.0.1:8080");
  ::setenv("TALLYMAN_URL", "https://bulk", 1);
  ::setenv("TALLYMAN_TOKEN", "tly_x", 1);
  EXPECT_EQ(parsed<JobsCommand>({"jobs"}).server.url, "https://bulk");
  EXPECT_EQ(parsed<JobsCommand>({"jobs"}).server.token, "tly_x");
  EXPECT_EQ(parsed<JobsCommand>({"jobs", "--url", "http://a"}).server.url, "http://a");
}

TEST_F(CommandLineTest, ReadsWhatIsToBeServed) {
  const auto serve =
      parsed<ServeOptions>({"serve", "--database", "sqlite:a", "--expose", "x,y",
                            "--expose", "z", "--workers", "3", "--insecure"});
  EXPECT_THAT(serve.expose, ElementsAre("x", "y", "z"));
  EXPECT_EQ(serve.workers, 3U);
  EXPECT_TRUE(serve.insecure);
  EXPECT_EQ(parsed<ServeOptions>({"serve", "--config", "f"}).config_file, "f");
  EXPECT_EQ(parsed<ServeOptions>({"serve", "--config", "f", "--workers", "0"}).workers,
            0U);
  const auto work =
      parsed<WorkOptions>({"work", "--database", "postgresql://h/d", "--expose", "x"});
  EXPECT_EQ(work.node.database, "postgresql://h/d");
  EXPECT_EQ(parsed<MigrateCommand>({"migrate", "--database", "sqlite:a"}).database,
            "sqlite:a");
}

TEST_F(CommandLineTest, MakesDefinitionsOfAggregates) {
  EXPECT_EQ(parsed<AggregatesCommand>(
                {"aggregates", kId, "--count", "--sum", "a,b", "--group-by", "c"})
                .definitions,
            R"({"count":{"type":"count","group_by":["c"]},)"
            R"("sum_a":{"type":"sum","field":"a","group_by":["c"]},)"
            R"("sum_b":{"type":"sum","field":"b","group_by":["c"]}})");
  EXPECT_EQ(parsed<AggregatesCommand>({"aggregates", kId}).definitions, "");
}

TEST_F(CommandLineTest, ReadsATokenThatIsToBeMade) {
  const auto token = parsed<TokenCreateCommand>(
      {"token", "create", "--database", "sqlite:a", "--name", "n", "--owner", "o",
       "--scope", "people:read", "people:insert", "--expires", "30d"});
  EXPECT_THAT(token.scopes, ElementsAre("people:read", "people:insert"));
  EXPECT_EQ(token.expires, std::chrono::hours(720));
  EXPECT_EQ(token.role, "");
  const auto tenant = parsed<TokenCreateCommand>(
      {"token", "create", "--database", "postgresql://a", "--name", "n", "--owner", "o",
       "--scope", "*", "--role", "tenant", "--claim", "app.tenant=7", "--claim",
       R"(request.jwt.claims={"a": 1, "b": [2]})"});
  EXPECT_EQ(tenant.role, "tenant");
  EXPECT_THAT(tenant.claims,
              ElementsAre("app.tenant=7", R"(request.jwt.claims={"a": 1, "b": [2]})"));
}

struct Wrong {
  std::vector<std::string> arguments;
  std::string said;
};

TEST_F(CommandLineTest, SaysWhatIsWrong) {
  const std::vector<Wrong> cases = {
      {{}, "subcommand is required"},
      {{"laod"}, "there is no command 'laod'; did you mean 'load'?"},
      {{"load"}, "FILE is required"},
      {{"load", "a.csv"}, "--resource is required"},
      {{"load", "a", "--resource", "r", "--operation", "merge"}, "insert, upsert"},
      {{"load", "a", "--resource", "r", "--mode", "all"}, "partial or atomic"},
      {{"load", "a", "--resource", "r", "--delimiter", "ab"}, "one character, or tab"},
      {{"load", "a", "--resource", "r", "--max-errors", "-1"}, "--max-errors"},
      {{"status", "17"}, "must be a job's id"},
      {{"jobs", "--state", "Done"}, "Upload Complete"},
      {{"results", kId, "--outcome", "bad"}, "--outcome"},
      {{"aggregates", kId, "--json", "{}", "--count"}, "excludes"},
      {{"aggregates", kId, "--group-by", "c"}, "groups what?"},
      {{"serve"}, "needs --config FILE"},
      {{"serve", "--database", "sqlite:a"}, "--expose"},
      {{"serve", "--config", "f", "--database", "sqlite:a", "--expose", "t"}, "excludes"},
      {{"serve", "--config", "f", "--tls-key", "k"}, "--tls-certificate"},
      {{"serve", "--config", "f", "--workers", "257"}, "--workers"},
      {{"work"}, "needs --config FILE"},
      {{"work", "--config", "f", "--workers", "0"}, "--workers"},
      {{"work", "--config", "f", "--listen", "127.0.0.1:1"}, "--listen"},
      {{"migrate"}, "needs --config FILE or --database URL"},
      {{"migrate", "--config", "f", "--database", "sqlite:a"}, "excludes"},
      {{"token", "create", "--database", "d", "--name", "n", "--owner", "o", "--scope",
        "*", "--expires", "30"},
       "a time with its unit"},
      {{"token"}, "subcommand is required"},
  };
  for (const Wrong& wrong : cases) {
    const CommandLine line = parse_command_line(wrong.arguments);
    EXPECT_FALSE(line.command) << testing::PrintToString(wrong.arguments);
    EXPECT_EQ(line.exit_code, 2) << testing::PrintToString(wrong.arguments);
    EXPECT_THAT(line.text, HasSubstr(wrong.said));
  }
}

}  // namespace
}  // namespace tallyman
