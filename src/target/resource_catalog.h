// ResourceCatalog: the resources that are exposed: tables as the database describes them,
// under the rules of the configuration and of the embedding program.
//
//   ResourceCatalog catalog(target, rules);
//   TALLY_TRY(catalog.check());               // at start: every mistake in the rules
//   TALLY_TRY_ASSIGN(auto resource, catalog.find("transactions"));
//
// find() reads the table anew, so a changed table is seen by the next job.
//
// Threads: any.
// Errors:  kNotFound         no such resource (names the nearest) or its table is gone
//          kInvalidArgument  a rule names a field that the table does not have, or the
//                            resource has more fields than fields_max
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/aggregate.h"
#include "model/limits.h"
#include "model/resource.h"
#include "target/target.h"

namespace tallyman {

// What narrows and tightens a table.
struct ResourceRules {
  std::string name;
  std::string table;
  std::set<Operation> operations;  // Empty: all of them.
  bool parallel = false;           // Its jobs may run side by side.
  std::vector<std::string> only;  // Fields that are shown; empty: all. The key is always.
  std::set<std::string> read_only;  // Fields.
  std::map<std::string, FieldRules> fields;
  std::map<std::string, NamedAggregate> aggregates;
};

class ResourceCatalog {
 public:
  ResourceCatalog(Target& target, std::vector<ResourceRules> rules,
                  std::size_t fields_max = limits::kFieldsMax);

  Result<std::shared_ptr<const Resource>> find(std::string_view name);
  std::vector<std::string> names() const;  // Sorted.

  // Every resource can be found; the first one that cannot is the error.
  Result<void> check();

 private:
  Target& target_;
  std::vector<ResourceRules> rules_;  // By name.
  const std::size_t fields_max_;
};

// kInvalidArgument above the limit, naming what to do about it.
Result<void> require_few_fields(const Resource& resource, std::size_t fields_max);

// The table's description under the rules. Pure.
Result<Resource> apply_rules(Resource table, const ResourceRules& rules);

}  // namespace tallyman
