#include "app/migrate_command.h"

#include "app/backend.h"
#include "app/config.h"
#include "app/exit_code.h"
#include "app/job_commands.h"

namespace tallyman {

int run_migrate(const MigrateCommand& command, Console& console) {
  std::string url = command.database;
  if (!command.config_file.empty()) {
    const ConfigReading reading = read_config_file(command.config_file);
    if (!reading.mistakes.empty()) {
      console.err << to_text(command.config_file, reading.mistakes) << std::flush;
      return kExitFailed;
    }
    url = reading.config.database;
  }
  if (const auto done = migrate_database(url); !done.ok()) {
    return report(done.error(), console);
  }
  console.out << "the tables of tallyman are up to date\n" << std::flush;
  return kExitWell;
}

}  // namespace tallyman
