// How the commands and their options are declared to CLI11. Seen by command_line*.cc
// alone.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

#include "app/command_line.h"

namespace tallyman {

// Each adds its command; when that is what was typed, `line.command` is set.
void add_serve(CLI::App& app, CommandLine& line);
void add_work(CLI::App& app, CommandLine& line);
void add_migrate(CLI::App& app, CommandLine& line);
void add_check_config(CLI::App& app, CommandLine& line);
void add_routes(CLI::App& app, CommandLine& line);
void add_token(CLI::App& app, CommandLine& line);

void add_load(CLI::App& app, CommandLine& line);
void add_jobs(CLI::App& app, CommandLine& line);
void add_status(CLI::App& app, CommandLine& line);
void add_results(CLI::App& app, CommandLine& line);
void add_aggregates(CLI::App& app, CommandLine& line);
void add_abort(CLI::App& app, CommandLine& line);
void add_retry(CLI::App& app, CommandLine& line);

// --url, --token and --ca-file.
void add_server(CLI::App& command, ServerAddress& into);

// Stops the parsing: `option` cannot be what was given.
[[noreturn]] inline void refuse(const std::string& option, const std::string& why) {
  throw CLI::ValidationError(option, why);
}

// An option whose text is read by `parse`, which gives an optional.
template <class Value, class Parse>
CLI::Option* add_parsed(CLI::App& command, const std::string& option, Value& into,
                        Parse parse, const std::string& wanted, const std::string& help) {
  return command
      .add_option_function<std::string>(
          option,
          [&into, parse, option, wanted](const std::string& text) {
            const auto value = parse(text);
            if (!value) refuse(option, "must be " + wanted);
            into = *value;
          },
          help)
      ->type_name("TEXT");
}

// A list of names: "a,b", or the option several times.
CLI::Option* add_names(CLI::App& command, const std::string& option,
                       std::vector<std::string>& into, const std::string& help);

}  // namespace tallyman
