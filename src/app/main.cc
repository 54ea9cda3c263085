#include <signal.h>
#include <unistd.h>

#include <iostream>

#include "app/check_config_command.h"
#include "app/command_line.h"
#include "app/exit_code.h"
#include "app/job_commands.h"
#include "app/load_command.h"
#include "app/migrate_command.h"
#include "app/routes_command.h"
#include "app/serve.h"
#include "app/token_commands.h"

namespace tallyman {
namespace {

class Program {
 public:
  int operator()(const ServeOptions& options) { return run_serve(options); }
  int operator()(const WorkOptions& options) { return run_work(options); }
  int operator()(const MigrateCommand& command) { return run_migrate(command, console_); }
  int operator()(const CheckConfigCommand& command) {
    return run_check_config(command, console_);
  }
  int operator()(const RoutesCommand& command) { return run_routes(command, console_); }
  int operator()(const LoadCommand& command) {
    UploadMemory memory(UploadMemory::default_folder());
    return run_load(command, memory, console_);
  }
  int operator()(const JobsCommand& command) { return run_jobs(command, console_); }
  int operator()(const StatusCommand& command) { return run_status(command, console_); }
  int operator()(const ResultsCommand& command) { return run_results(command, console_); }
  int operator()(const AggregatesCommand& command) {
    return run_aggregates(command, console_);
  }
  int operator()(const AbortCommand& command) { return run_abort(command, console_); }
  int operator()(const RetryCommand& command) { return run_retry(command, console_); }
  int operator()(const TokenCreateCommand& command) {
    return run_token_create(command, random_, console_);
  }
  int operator()(const TokenListCommand& command) {
    return run_token_list(command, random_, console_);
  }
  int operator()(const TokenRevokeCommand& command) {
    return run_token_revoke(command, random_, console_);
  }

 private:
  SystemClock clock_;
  SystemRandom random_;
  Console console_{std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1, clock_};
};

int run(int argument_count, char** arguments) {
  const CommandLine line = parse_command_line(
      std::vector<std::string>(arguments + 1, arguments + argument_count));
  if (!line.command) {
    (line.exit_code == kExitWell ? std::cout : std::cerr) << line.text << std::flush;
    return line.exit_code;
  }
  return std::visit(Program(), *line.command);
}

}  // namespace
}  // namespace tallyman

int main(int argument_count, char** arguments) {
  // A peer or a pipe that is gone is an error of the write, not the end of the program.
  signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  return tallyman::run(argument_count, arguments);
}
