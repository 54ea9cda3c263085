// Aggregates: what may be asked over a job's rows.
//
//   {"total": {"type": "sum", "field": "amount", "group_by": "category", "outcome": "created"}}
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/outcome.h"
#include "tallyman/job_rows.h"
#include "tallyman/json.h"

namespace tallyman {

struct Resource;

enum class AggregateType : std::uint8_t {
  kCount,
  kSum,
  kAvg,
  kMin,
  kMax,
  kCountDistinct,
  kCustom,
};

std::string_view name(AggregateType type);  // "count_distinct"

// A function of the embedding program. May throw: that aggregate is then reported failed.
using AggregateFunction = std::function<Json(JobRows&)>;

struct AggregateSpec {
  std::string name;  // The client's; unique in a request.
  AggregateType type = AggregateType::kCount;
  std::string field;                  // Empty for count and custom.
  std::vector<std::string> group_by;  // Field names.
  // Rows named by records of these outcomes; empty: created, updated and unchanged (for a
  // delete job: deleted, and the type is kCount without group_by).
  std::vector<Outcome> outcomes;
  std::string function;  // kCustom: a key of Resource::aggregates.
};

// What a resource offers under a name of its own: a function, or a definition from the
// configuration ("type" and the rest, as above).
struct NamedAggregate {
  AggregateFunction function;  // Empty: `definition` is used.
  AggregateSpec definition;
};

// Reads {"name": {...}, ...}. kInvalidArgument names the unknown field, type or function,
// with the nearest known name; nothing is half-read.
Result<std::vector<AggregateSpec>> parse_aggregates(std::string_view json,
                                                    const Resource& resource,
                                                    bool is_delete_job);

// One definition as canonical JSON: equal text, equal definition.
std::string to_json(const AggregateSpec& spec);

// A control total: {"count": 2, "sum.amount": "175.75"} is two of them.
struct ControlTotal {
  AggregateSpec aggregate;  // Named "count" or "sum.amount".
  std::string expected;     // A decimal, as the client wrote it.
};
Result<std::vector<ControlTotal>> parse_control_totals(std::string_view json,
                                                       const Resource& resource,
                                                       bool is_delete_job);

}  // namespace tallyman
