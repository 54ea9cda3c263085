// What an aggregate is about, before a database is asked: its records and its fields. The
// same for every database.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/aggregate.h"
#include "model/resource.h"
#include "model/unit.h"
#include "target/outcome_mask.h"
#include "target/target.h"

namespace tallyman {

// A definition from the configuration under the name that was asked for.
AggregateSpec resolve_aggregate(const AggregateSpec& spec, const Resource& resource);

OutcomeMask wanted_outcomes(const AggregateSpec& spec);

std::uint64_t count_records(const OutcomeCounts& counts, OutcomeMask outcomes);

// Are all of its fields in the resource, and in the table as it is now?
bool has_fields(const AggregateSpec& spec, const Resource& resource,
                const Resource& table);

// Over a table without a primary key, whose rows cannot be named.
AggregateResult aggregate_without_ids(const AggregateSpec& spec,
                                      const OutcomeCounts& counts, const Resource& table);

// The results by place: of those without a row to name, or without their fields, and of
// custom ones, which `call(spec)` answers. The others are given to `add(place, spec)`.
template <class Call, class Add>
Result<std::vector<AggregateResult>> begin_aggregates(
    std::span<const AggregateSpec> specs, const Resource& resource, const Resource& table,
    RowIdKind ids, const OutcomeCounts& counts, Call call, Add add) {
  std::vector<AggregateResult> results(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    results[i].name = specs[i].name;
    const AggregateSpec spec = resolve_aggregate(specs[i], resource);
    if (ids == RowIdKind::kNone) {
      results[i] = aggregate_without_ids(spec, counts, table);
    } else if (!has_fields(spec, resource, table)) {
      results[i].error = "the table no longer has all of its fields";
    } else if (spec.type == AggregateType::kCustom) {
      TALLY_TRY_ASSIGN(results[i], call(spec));
    } else {
      add(i, spec);
    }
  }
  return results;
}

}  // namespace tallyman
