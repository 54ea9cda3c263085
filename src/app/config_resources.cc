#include "app/config_resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "app/config_reading.h"
#include "base/decimal.h"
#include "base/nearest_name.h"

namespace tallyman {
namespace {

template <class Known, class Names>
std::string known_or_nearest(std::string_view wrong, const Known& all, Names name_of) {
  std::vector<std::string> known;
  for (const auto value : all) known.emplace_back(name_of(value));
  if (const auto nearest = nearest_name(wrong, known)) {
    return fmt::format("did you mean \"{}\"?", *nearest);
  }
  std::string list;
  for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
  return "it is one of " + list;
}

constexpr auto kAggregateTypes = std::to_array<AggregateType>(
    {AggregateType::kCount, AggregateType::kSum, AggregateType::kAvg, AggregateType::kMin,
     AggregateType::kMax, AggregateType::kCountDistinct});

std::optional<AggregateType> aggregate_type_from_name(std::string_view text) {
  for (const AggregateType type : kAggregateTypes) {
    if (name(type) == text) return type;
  }
  return std::nullopt;
}

void read_operations(TableReader& reader, ResourceRules& rules) {
  std::vector<NamedLine> operations;
  const int line = reader.names("operations", operations);
  for (const NamedLine& named : operations) {
    if (const auto operation = operation_from_name(named.name)) {
      rules.operations.insert(*operation);
    } else {
      reader.mistake(named.line,
                     fmt::format("{}: there is no operation \"{}\"; {}",
                                 reader.path_of("operations"), named.name,
                                 known_or_nearest(named.name, kAllOperations,
                                                  [](Operation o) { return name(o); })));
    }
  }
  if (line != 0 && operations.empty()) {
    reader.mistake(line, reader.path_of("operations") +
                             " is empty; leave it out to allow all of them");
  }
}

void read_field(const ConfigMember& member, const std::string& path, ResourceConfig& into,
                std::vector<ConfigMistake>& mistakes) {
  TableReader reader(member.value, path, mistakes);
  FieldRules rules;
  reader.values("choices", rules.choices);
  reader.decimal("min", rules.minimum);
  const int max_line = reader.decimal("max", rules.maximum);
  if (max_line != 0 && rules.minimum &&
      *Decimal::parse(*rules.maximum) < *Decimal::parse(*rules.minimum)) {
    reader.mistake(max_line, fmt::format("{} is below {}", reader.path_of("max"),
                                         reader.path_of("min")));
  }
  std::uint64_t max_length = 0;
  if (reader.count("max_length", {1, std::numeric_limits<std::uint32_t>::max()},
                   max_length) != 0) {
    rules.max_length = static_cast<std::uint32_t>(max_length);
  }
  std::string pattern;
  if (reader.text("pattern", pattern) != 0) rules.pattern = std::move(pattern);
  bool read_only = false;
  reader.boolean("read_only", read_only);
  reader.refuse_others();

  if (read_only) into.rules.read_only.insert(member.key);
  into.rules.fields.emplace(member.key, std::move(rules));
  into.mentions.push_back({member.key, member.line, "fields." + member.key});
}

void read_outcomes(TableReader& reader, std::vector<Outcome>& into) {
  std::vector<NamedLine> names;
  reader.names("outcome", names, true);
  for (const NamedLine& named : names) {
    const auto outcome = outcome_from_name(named.name);
    if (outcome && is_success(*outcome)) {
      into.push_back(*outcome);
    } else {
      reader.mistake(named.line,
                     fmt::format("{} must name created, updated, unchanged or "
                                 "deleted: only those have rows",
                                 reader.path_of("outcome")));
    }
  }
}

void read_aggregate(const ConfigMember& member, const std::string& path,
                    ResourceConfig& into, std::vector<ConfigMistake>& mistakes) {
  TableReader reader(member.value, path, mistakes);
  AggregateSpec spec;
  spec.name = member.key;
  std::string type;
  const int type_line = reader.text("type", type);
  const auto known = aggregate_type_from_name(type);
  if (known) {
    spec.type = *known;
  } else if (type_line != 0) {
    reader.mistake(
        type_line,
        fmt::format("{}: there is no aggregate \"{}\"; {}", reader.path_of("type"), type,
                    known_or_nearest(type, kAggregateTypes,
                                     [](AggregateType t) { return name(t); })));
  } else if (member.value.find("type") == nullptr) {
    reader.mistake(member.line, path +
                                    " needs a type: count, sum, avg, min, max or "
                                    "count_distinct");
  }
  const int field_line = reader.text("field", spec.field);
  if (field_line != 0) {
    into.mentions.push_back(
        {spec.field, field_line, "aggregates." + member.key + ".field"});
  }
  if (known && *known == AggregateType::kCount && field_line != 0) {
    reader.mistake(field_line, reader.path_of("field") + ": count takes no field");
  }
  if (known && *known != AggregateType::kCount && field_line == 0) {
    reader.mistake(member.line, fmt::format("{} needs a field: {} of what?", path, type));
  }
  std::vector<NamedLine> groups;
  reader.names("group_by", groups, true);
  for (NamedLine& group : groups) {
    into.mentions.push_back(
        {group.name, group.line, "aggregates." + member.key + ".group_by"});
    spec.group_by.push_back(std::move(group.name));
  }
  read_outcomes(reader, spec.outcomes);
  reader.refuse_others();
  into.rules.aggregates.emplace(member.key, NamedAggregate{{}, std::move(spec)});
}

void read_field_lists(TableReader& reader, ResourceConfig& into) {
  std::vector<NamedLine> only;
  if (const int line = reader.names("only", only); line != 0 && only.empty()) {
    reader.mistake(
        line, reader.path_of("only") + " is empty; leave it out to show every field");
  }
  for (NamedLine& named : only) {
    into.mentions.push_back({named.name, named.line, "only"});
    into.rules.only.push_back(std::move(named.name));
  }
  std::vector<NamedLine> read_only;
  reader.names("read_only", read_only);
  for (NamedLine& named : read_only) {
    into.mentions.push_back({named.name, named.line, "read_only"});
    into.rules.read_only.insert(std::move(named.name));
  }
}

}  // namespace

std::string resource_name_fault(std::string_view resource) {
  const bool plain = std::all_of(resource.begin(), resource.end(), [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
  });
  if (resource.empty() || !plain) {
    return fmt::format(
        "\"{}\" cannot be the name of a resource: use letters, digits, _ and -",
        resource);
  }
  if (resource == "jobs") {
    return "\"jobs\" cannot be the name of a resource: /api/jobs/ lists the jobs of all "
           "of "
           "them; give it another name and say table = \"jobs\"";
  }
  return {};
}

ResourceConfig read_resource(const ConfigMember& member,
                             std::vector<ConfigMistake>& mistakes) {
  ResourceConfig out;
  out.line = member.line;
  out.rules.name = member.key;
  const std::string path = "resources." + member.key;
  TableReader reader(member.value, path, mistakes);
  if (std::string fault = resource_name_fault(member.key); !fault.empty()) {
    reader.mistake(member.line, std::move(fault));
  }
  out.rules.table = member.key;
  const int table_line = reader.text("table", out.rules.table);
  out.table_line = table_line == 0 ? member.line : table_line;
  read_operations(reader, out.rules);
  reader.boolean("parallel", out.rules.parallel);
  read_field_lists(reader, out);
  reader.each_table("fields", [&](const ConfigMember& field) {
    read_field(field, path + ".fields." + field.key, out, mistakes);
  });
  reader.each_table("aggregates", [&](const ConfigMember& aggregate) {
    read_aggregate(aggregate, path + ".aggregates." + aggregate.key, out, mistakes);
  });
  reader.refuse_others();
  return out;
}

}  // namespace tallyman
