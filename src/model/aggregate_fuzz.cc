// Any text as aggregates and as control totals. Invariants:
//   - what is read has names, and no more of them than the limit;
//   - a definition that is written and read again is the same, and is written the same;
//   - what a control total expects is a decimal;
//   - nothing of it needs the job to be a delete: whatever a delete job may ask is one
//     count.
#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/decimal.h"
#include "base/json_writer.h"
#include "model/aggregate.h"
#include "model/limits.h"
#include "model/test_resource.h"

namespace tallyman {
namespace {

std::string to_request(const std::vector<AggregateSpec>& specs) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  for (const AggregateSpec& spec : specs) writer.key(spec.name).raw(to_json(spec));
  writer.end_object();
  return json;
}

// The order of outcomes does not matter, nor how often one is named.
bool same(const AggregateSpec& one, const AggregateSpec& other) {
  return one.name == other.name && one.type == other.type && one.field == other.field &&
         one.group_by == other.group_by && one.function == other.function &&
         std::set(one.outcomes.begin(), one.outcomes.end()) ==
             std::set(other.outcomes.begin(), other.outcomes.end());
}

void check_aggregates(std::string_view json, const Resource& resource, bool is_delete) {
  const auto read = parse_aggregates(json, resource, is_delete);
  if (!read.ok()) {
    CHECK(!read.error().message.empty());
    return;
  }
  CHECK(read.value().size() <= limits::kAggregatesMax);
  for (const AggregateSpec& spec : read.value()) {
    CHECK(!spec.name.empty());
    CHECK(!is_delete || spec.type == AggregateType::kCount);
  }
  const std::string written = to_request(read.value());
  const auto again = parse_aggregates(written, resource, is_delete);
  CHECK(again.ok() && to_request(again.value()) == written);
  CHECK(std::equal(read.value().begin(), read.value().end(), again.value().begin(),
                   again.value().end(), same));
}

void check_totals(std::string_view json, const Resource& resource, bool is_delete) {
  const auto read = parse_control_totals(json, resource, is_delete);
  if (!read.ok()) {
    CHECK(!read.error().message.empty());
    return;
  }
  CHECK(read.value().size() <= limits::kAggregatesMax);
  for (const ControlTotal& total : read.value()) {
    CHECK(Decimal::parse(total.expected).has_value());
    CHECK(check_aggregate(total.aggregate, resource, is_delete).ok());
  }
}

}  // namespace
}  // namespace tallyman

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman;
  static const Resource resource = make_test_resource();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool is_delete : {false, true}) {
    check_aggregates(text, resource, is_delete);
    check_totals(text, resource, is_delete);
  }
  return 0;
}
