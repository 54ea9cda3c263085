// What an aggregate is about, before a database is asked: its records and its fields. The
// same for every database.
//
// Threads: any.
#pragma once

#include <cstdint>

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

}  // namespace tallyman
