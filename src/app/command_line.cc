#include "app/command_line.h"

#include <algorithm>
#include <sstream>

#include "app/command_help.h"
#include "app/command_options.h"
#include "app/exit_code.h"
#include "base/nearest_name.h"

namespace tallyman {
namespace {

// A word that is no command is told by its nearest one; CLI11 would only say "not
// expected".
std::string unknown_command(CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front().starts_with('-')) return {};
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands({}))
    known.push_back(command->get_name());
  const std::string& typed = arguments.front();
  if (std::find(known.begin(), known.end(), typed) != known.end()) return {};
  const auto nearest = nearest_name(typed, known);
  return "there is no command '" + typed + "'" +
         (nearest ? "; did you mean '" + *nearest + "'?" : "") +
         "\nRun with --help for more information.\n";
}

}  // namespace

void add_server(CLI::App& command, ServerAddress& into) {
  into.url = "http://127.0.0.1:8080";
  command.add_option("--url", into.url, "The server's address")
      ->envname("TALLYMAN_URL")
      ->capture_default_str();
  command.add_option("--token", into.token, "Who asks (see: tallyman token create)")
      ->envname("TALLYMAN_TOKEN");
  command
      .add_option("--ca-file", into.ca_file,
                  "PEM file of the authority that signed the server's certificate")
      ->envname("TALLYMAN_CA_FILE");
}

CLI::Option* add_names(CLI::App& command, const std::string& option,
                       std::vector<std::string>& into, const std::string& help) {
  return command.add_option(option, into, help)->delimiter(',')->allow_extra_args(false);
}

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  CLI::App app(
      "Bulk data for the database you already have: upload records as a job, read "
      "every record's outcome, aggregate exactly what the job wrote.",
      "tallyman");
  app.set_version_flag("--version", "tallyman " TALLYMAN_VERSION);
  app.failure_message(CLI::FailureMessage::simple);
  app.require_subcommand(1);
  app.footer(program_help_end());
  add_serve(app, line);
  add_work(app, line);
  add_migrate(app, line);
  add_load(app, line);
  add_jobs(app, line);
  add_status(app, line);
  add_results(app, line);
  add_aggregates(app, line);
  add_abort(app, line);
  add_retry(app, line);
  add_token(app, line);
  add_check_config(app, line);
  add_routes(app, line);

  if (std::string fault = unknown_command(app, arguments); !fault.empty()) {
    return {.command = std::nullopt, .exit_code = kExitFailed, .text = std::move(fault)};
  }
  try {
    // CLI11 takes the last argument first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    line.command.reset();
    line.exit_code = code == 0 ? kExitWell : kExitFailed;
    line.text = out.str() + err.str();
  }
  return line;
}

}  // namespace tallyman
