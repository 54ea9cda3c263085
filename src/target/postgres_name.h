// What a table's name in the configuration may mean: `name`, `schema.name`, each part
// quoted or not as in SQL.
//
//   postgres_name_readings("sales.\"Order Lines\"")   ->  {{"sales", "Order Lines"}}
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

struct PostgresName {
  std::optional<std::string> schema;
  std::string table;

  friend bool operator==(const PostgresName&, const PostgresName&) = default;
};

// The likeliest first: as it is written; its unquoted parts in lower case, as SQL reads
// them; and, where it has points, all of it as the name of one table.
std::vector<PostgresName> postgres_name_readings(std::string_view text);

}  // namespace tallyman
