// Reads one [resources.NAME] of the configuration.
//
//   [resources.transactions]
//   table      = "transactions"
//   operations = ["insert", "upsert"]
//   only       = ["id", "amount", "category"]   # fields that are shown; else all
//   read_only  = ["id"]
//   [resources.transactions.fields.category]
//   choices = ["Food", "Rent"]                  # min, max, max_length, pattern,
//   read_only [resources.transactions.aggregates.by_category] type = "count" # field,
//   group_by, outcome group_by = "category"
//
// Pure functions. Whether the table has such fields is not known here
// (app/config_check.h).
#pragma once

#include <vector>

#include "app/config.h"

namespace tallyman {

ResourceConfig read_resource(const ConfigMember& member,
                             std::vector<ConfigMistake>& mistakes);

// Why `name` cannot be the name of a resource; empty: it can. It is a part of paths and
// of scopes.
std::string resource_name_fault(std::string_view name);

}  // namespace tallyman
