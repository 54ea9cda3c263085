// Aggregates: what may be asked over a job's rows.
//
//   {"total": {"type": "sum", "field": "amount", "group_by": "category", "outcome":
//   "created"}}
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
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
std::optional<AggregateType> aggregate_type_from_name(std::string_view text);

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

// Whether a definition can be computed over the resource: it has the fields and
// functions, they suit the type, and the outcomes leave rows. kInvalidArgument names what
// does not fit, with the nearest known name.
Result<void> check_aggregate(const AggregateSpec& spec, const Resource& resource,
                             bool is_delete_job);

// Reads {"name": {...}, ...} and checks each; "group_by" and "outcome" are a text or a
// list of texts. kInvalidArgument names the aggregate and what is wrong with it;
// kTooLarge: more than aggregates_max of them, or more text than request_json_bytes_max.
// Nothing is half-read.
Result<std::vector<AggregateSpec>> parse_aggregates(std::string_view json,
                                                    const Resource& resource,
                                                    bool is_delete_job);

// One definition (without its name) as canonical JSON: equal text, equal definition.
std::string to_json(const AggregateSpec& spec);

// A control total: {"count": 2, "sum.amount": "175.75"} is two of them. Also "avg.",
// "min.", "max." (of fields that hold numbers) and "count_distinct." (of any). Expected
// is a JSON number, whose digits are kept, or a text that holds one; neither has an
// exponent.
struct ControlTotal {
  AggregateSpec aggregate;  // Named "count" or "sum.amount".
  std::string expected;     // A decimal, as the client wrote it.
};
// Errors as parse_aggregates().
Result<std::vector<ControlTotal>> parse_control_totals(std::string_view json,
                                                       const Resource& resource,
                                                       bool is_delete_job);

}  // namespace tallyman
