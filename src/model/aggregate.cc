#include "model/aggregate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/json_writer.h"
#include "model/in_quotes.h"
#include "model/resource.h"

namespace tallyman {
namespace {

constexpr auto kAllAggregateTypes = std::to_array<AggregateType>(
    {AggregateType::kCount, AggregateType::kSum, AggregateType::kAvg, AggregateType::kMin,
     AggregateType::kMax, AggregateType::kCountDistinct, AggregateType::kCustom});

Error refuse(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

bool has_sum(FieldType type) {
  return type == FieldType::kInteger || type == FieldType::kDecimal ||
         type == FieldType::kFloat;
}

bool has_order(FieldType type) {
  return type != FieldType::kBoolean && type != FieldType::kJson &&
         type != FieldType::kBytes;
}

bool has_equality(FieldType type) { return type != FieldType::kJson; }

bool suits(AggregateType aggregate, FieldType field) {
  switch (aggregate) {
    case AggregateType::kSum:
    case AggregateType::kAvg: return has_sum(field);
    case AggregateType::kMin:
    case AggregateType::kMax: return has_order(field);
    case AggregateType::kCountDistinct: return has_equality(field);
    case AggregateType::kCount:
    case AggregateType::kCustom: return false;
  }
  CHECK(false);
}

std::string_view suitable_fields(AggregateType aggregate) {
  switch (aggregate) {
    case AggregateType::kSum:
    case AggregateType::kAvg: return "an integer, decimal or float field";
    case AggregateType::kMin:
    case AggregateType::kMax: return "a field whose values have an order";
    case AggregateType::kCountDistinct: return "a field whose values can be compared";
    case AggregateType::kCount:
    case AggregateType::kCustom: return "no field";
  }
  CHECK(false);
}

Result<const Field*> find_field(const std::string& field_name, const Resource& resource) {
  const auto place = resource.field_place(field_name);
  if (!place) {
    return refuse(fmt::format("no field {} in resource {}{}", in_quotes(field_name),
                              in_quotes(resource.name),
                              did_you_mean(field_name, resource.field_names())));
  }
  return &resource.fields[*place];
}

Result<void> check_field(const AggregateSpec& spec, const Resource& resource) {
  if (spec.type == AggregateType::kCount) {
    if (spec.field.empty()) return {};
    return refuse(
        "\"count\" takes no \"field\": it counts rows; \"count_distinct\" counts values");
  }
  if (spec.type == AggregateType::kCustom) {
    if (spec.field.empty()) return {};
    return refuse("\"custom\" takes no \"field\": its function sees every field");
  }
  if (spec.field.empty()) {
    return refuse(fmt::format("\"{}\" needs a \"field\"", name(spec.type)));
  }
  TALLY_TRY_ASSIGN(const Field* const field, find_field(spec.field, resource));
  if (!suits(spec.type, field->type)) {
    return refuse(fmt::format("\"{}\" needs {}; {} is of type {}", name(spec.type),
                              suitable_fields(spec.type), in_quotes(spec.field),
                              name(field->type)));
  }
  return {};
}

Result<void> check_group_by(const AggregateSpec& spec, const Resource& resource) {
  if (spec.type == AggregateType::kCustom && !spec.group_by.empty()) {
    return refuse("\"custom\" takes no \"group_by\": its function makes the groups");
  }
  for (std::size_t i = 0; i < spec.group_by.size(); ++i) {
    const std::string& field_name = spec.group_by[i];
    TALLY_TRY_ASSIGN(const Field* const field, find_field(field_name, resource));
    if (!has_equality(field->type)) {
      return refuse(fmt::format(
          "\"group_by\" needs fields whose values can be compared; {} is of type {}",
          in_quotes(field_name), name(field->type)));
    }
    const auto earlier = spec.group_by.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(spec.group_by.begin(), earlier, field_name) != earlier) {
      return refuse(fmt::format("\"group_by\" names {} twice", in_quotes(field_name)));
    }
  }
  return {};
}

Result<void> check_function(const AggregateSpec& spec, const Resource& resource) {
  if (spec.type != AggregateType::kCustom) {
    if (spec.function.empty()) return {};
    return refuse("only \"custom\" takes a \"function\"");
  }
  if (spec.function.empty()) return refuse("\"custom\" needs a \"function\"");
  if (resource.aggregates.contains(spec.function)) return {};
  std::vector<std::string> known;
  for (const auto& [known_name, function] : resource.aggregates)
    known.push_back(known_name);
  return refuse(fmt::format("no function {} in resource {}{}", in_quotes(spec.function),
                            in_quotes(resource.name),
                            did_you_mean(spec.function, known)));
}

Result<void> check_outcomes(const AggregateSpec& spec, bool is_delete_job) {
  for (const Outcome outcome : spec.outcomes) {
    const bool fits = is_delete_job ? outcome == Outcome::kDeleted
                                    : is_success(outcome) && outcome != Outcome::kDeleted;
    if (fits) continue;
    return refuse(fmt::format("\"outcome\" cannot be \"{}\" here; {}", name(outcome),
                              is_delete_job
                                  ? "of a delete job it is \"deleted\""
                                  : "it is \"created\", \"updated\" or \"unchanged\""));
  }
  return {};
}

}  // namespace

std::string_view name(AggregateType type) {
  switch (type) {
    case AggregateType::kCount: return "count";
    case AggregateType::kSum: return "sum";
    case AggregateType::kAvg: return "avg";
    case AggregateType::kMin: return "min";
    case AggregateType::kMax: return "max";
    case AggregateType::kCountDistinct: return "count_distinct";
    case AggregateType::kCustom: return "custom";
  }
  CHECK(false);
}

std::optional<AggregateType> aggregate_type_from_name(std::string_view text) {
  for (const AggregateType type : kAllAggregateTypes) {
    if (name(type) == text) return type;
  }
  return std::nullopt;
}

Result<void> check_aggregate(const AggregateSpec& spec, const Resource& resource,
                             bool is_delete_job) {
  TALLY_TRY(check_field(spec, resource));
  TALLY_TRY(check_group_by(spec, resource));
  TALLY_TRY(check_function(spec, resource));
  if (is_delete_job && (spec.type != AggregateType::kCount || !spec.group_by.empty())) {
    return refuse(
        "the rows of a delete job are gone: only \"count\" without \"group_by\" can be "
        "asked for");
  }
  return check_outcomes(spec, is_delete_job);
}

std::string to_json(const AggregateSpec& spec) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("type").text(name(spec.type));
  if (!spec.field.empty()) json.key("field").text(spec.field);
  if (!spec.group_by.empty()) {
    json.key("group_by").begin_array();
    for (const std::string& field_name : spec.group_by) json.text(field_name);
    json.end_array();
  }
  if (!spec.outcomes.empty()) {
    // Which rows are meant does not depend on how often and in what order they were
    // named.
    json.key("outcome").begin_array();
    for (const Outcome outcome : kAllOutcomes) {
      if (std::count(spec.outcomes.begin(), spec.outcomes.end(), outcome) > 0) {
        json.text(name(outcome));
      }
    }
    json.end_array();
  }
  if (!spec.function.empty()) json.key("function").text(spec.function);
  json.end_object();
  return text;
}

}  // namespace tallyman
