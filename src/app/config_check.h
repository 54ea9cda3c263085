// Checks a configuration against the database: do its tables and fields exist, and can
// its rules ever hold?
//
//   for (const ConfigMistake& mistake : check_against(config, catalogue)) ...
//
// Reads the database's catalogue; changes nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "model/resource.h"

namespace tallyman {

// What a database says of its tables.
struct DatabaseCatalogue {
  std::function<Result<std::vector<std::string>>()> tables;
  // kNotFound where there is no such table.
  std::function<Result<Resource>(std::string_view table)> introspect;
};

// Opens the database that a URL names, for reading only.
Result<DatabaseCatalogue> open_catalogue(const std::string& url);

// Every mistake, by line. A database that does not answer is one at the line of
// `database`.
std::vector<ConfigMistake> check_against(const ServerConfig& config,
                                         const DatabaseCatalogue& catalogue);

// The line of the setting `database`; 0 where it does not come from a file.
int database_line(const ServerConfig& config);

}  // namespace tallyman
