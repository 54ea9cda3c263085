// The command line as values: what is to be done, with which options.
//
//   const CommandLine line = parse_command_line({"load", "people.csv", "--resource",
//   "people"}); if (!line.command) { print line.text; return line.exit_code; } return
//   std::visit(run, *line.command);
//
// --url, --token and --ca-file are also taken from TALLYMAN_URL, TALLYMAN_TOKEN and
// TALLYMAN_CA_FILE.
//
// Plain values. Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/serve.h"
#include "model/ids.h"
#include "model/job.h"
#include "model/job_state.h"
#include "model/operation.h"

namespace tallyman {

struct ServerAddress {
  std::string url;
  std::string token;
  std::string ca_file;
};

struct LoadCommand {
  ServerAddress server;
  std::string file;  // "-": standard input.
  std::string resource;
  Operation operation = Operation::kInsert;
  // Nothing: by the file's ending.
  std::optional<ContentType> content_type;
  JobOptions options;  // Its format's type is that of content_type, or guessed.
  bool wait = false;
  std::string results_file;  // Not empty: waits, too.
  std::optional<JobId> resume;
};

struct JobsCommand {
  ServerAddress server;
  std::string resource;  // Empty: all of them.
  std::optional<JobState> state;
  std::optional<Operation> operation;
  std::uint32_t limit = 20;
  bool json = false;
};

// What every command about one job takes.
struct JobTarget {
  ServerAddress server;
  JobId id{Uuid()};
  std::string resource;  // Empty: looked up.
};

struct StatusCommand {
  JobTarget job;
  bool wait = false;
  bool history = false;
  bool json = false;
};

struct ResultsCommand {
  JobTarget job;
  std::string outcome;
  std::string format = "csv";
  bool spreadsheet_safe = false;
  std::string output;  // Empty: standard output.
};

struct AggregatesCommand {
  JobTarget job;
  std::string definitions;  // JSON; empty: those that were asked for before.
};

struct AbortCommand {
  JobTarget job;
};

struct RetryCommand {
  JobTarget job;
  bool wait = false;
  std::string results_file;
};

// One of the two.
struct MigrateCommand {
  std::string config_file;
  std::string database;
};

struct TokenCreateCommand {
  std::string database;
  std::string name;
  std::string owner;
  std::vector<std::string> scopes;
  std::string role;                 // Empty: the server's own.
  std::vector<std::string> claims;  // "NAME=VALUE"
  std::optional<std::chrono::milliseconds> expires;
};

struct TokenListCommand {
  std::string database;
};

struct TokenRevokeCommand {
  std::string database;
  std::string name;
};

struct CheckConfigCommand {
  std::string file;
};

struct RoutesCommand {
  bool json = false;
};

using Command =
    std::variant<ServeOptions, WorkOptions, MigrateCommand, LoadCommand, JobsCommand,
                 StatusCommand, ResultsCommand, AggregatesCommand, AbortCommand,
                 RetryCommand, TokenCreateCommand, TokenListCommand, TokenRevokeCommand,
                 CheckConfigCommand, RoutesCommand>;

struct CommandLine {
  std::optional<Command> command;
  // Where there is no command: what to print (help, version, what was wrong), and where.
  int exit_code = 0;
  std::string text;
};

// `arguments` without the program's name.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace tallyman
