#include "app/check_config_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/config.h"
#include "app/config_check.h"
#include "app/exit_code.h"

namespace tallyman {

int run_check_config(const CheckConfigCommand& command, Console& console) {
  ConfigReading reading = read_config_file(command.file);
  const ServerConfig& config = reading.config;
  // What the file has right is checked against the database, whatever else is wrong.
  if (!config.database.empty()) {
    auto catalogue = open_catalogue(config.database);
    std::vector<ConfigMistake> found;
    if (catalogue.ok()) {
      found = check_against(config, catalogue.value());
    } else {
      found.push_back({database_line(config), "database: " + catalogue.error().message});
    }
    reading.mistakes.insert(reading.mistakes.end(), found.begin(), found.end());
    std::stable_sort(
        reading.mistakes.begin(), reading.mistakes.end(),
        [](const ConfigMistake& a, const ConfigMistake& b) { return a.line < b.line; });
  }
  if (!reading.mistakes.empty()) {
    console.err << to_text(command.file, reading.mistakes) << std::flush;
    return kExitFailed;
  }
  console.out << fmt::format("{}: good, {} resource{}\n", command.file,
                             config.resources.size(),
                             config.resources.size() == 1 ? "" : "s")
              << std::flush;
  return kExitWell;
}

}  // namespace tallyman
