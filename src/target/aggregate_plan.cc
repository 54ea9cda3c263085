#include "target/aggregate_plan.h"

#include <algorithm>

namespace tallyman {

AggregateSpec resolve_aggregate(const AggregateSpec& spec, const Resource& resource) {
  if (spec.type != AggregateType::kCustom) return spec;
  const auto named = resource.aggregates.find(spec.function);
  if (named == resource.aggregates.end() || named->second.function) return spec;
  AggregateSpec resolved = named->second.definition;
  resolved.name = spec.name;
  if (!spec.outcomes.empty()) resolved.outcomes = spec.outcomes;
  return resolved;
}

OutcomeMask wanted_outcomes(const AggregateSpec& spec) {
  if (spec.outcomes.empty()) return kWritten | mask_of(Outcome::kDeleted);
  OutcomeMask mask = 0;
  for (const Outcome outcome : spec.outcomes) mask |= mask_of(outcome);
  return mask;
}

std::uint64_t count_records(const OutcomeCounts& counts, OutcomeMask outcomes) {
  std::uint64_t records = 0;
  if (outcomes & mask_of(Outcome::kCreated)) records += counts.created;
  if (outcomes & mask_of(Outcome::kUpdated)) records += counts.updated;
  if (outcomes & mask_of(Outcome::kUnchanged)) records += counts.unchanged;
  if (outcomes & mask_of(Outcome::kDeleted)) records += counts.deleted;
  return records;
}

bool has_fields(const AggregateSpec& spec, const Resource& resource,
                const Resource& table) {
  const auto known = [&](const std::string& name) {
    return resource.field_place(name) && table.field_place(name);
  };
  return (spec.field.empty() || known(spec.field)) &&
         std::all_of(spec.group_by.begin(), spec.group_by.end(), known);
}

AggregateResult aggregate_without_ids(const AggregateSpec& spec,
                                      const OutcomeCounts& counts,
                                      const Resource& table) {
  AggregateResult result{spec.name, {}, {}};
  if (spec.type == AggregateType::kCount && spec.group_by.empty()) {
    result.value = std::to_string(count_records(counts, wanted_outcomes(spec)));
  } else {
    result.error = "table \"" + table.table +
                   "\" has no primary key, so the job's rows cannot be told from others; "
                   "only count works";
  }
  return result;
}

}  // namespace tallyman
