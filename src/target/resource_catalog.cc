#include "target/resource_catalog.h"

#include <algorithm>
#include <optional>

#include "base/nearest_name.h"

namespace tallyman {
namespace {

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  const std::optional<std::string> nearest = nearest_name(name, known);
  return nearest ? "; did you mean '" + *nearest + "'?" : "";
}

Error unknown_field(const ResourceRules& rules, std::string_view field,
                    const Resource& table) {
  return {ErrorCode::kInvalidArgument,
          "resource '" + rules.name + "': table '" + rules.table + "' has no field '" +
              std::string(field) + "'" + did_you_mean(field, table.field_names())};
}

Result<void> check_names(const Resource& table, const ResourceRules& rules) {
  for (const auto& [field, unused] : rules.fields) {
    if (!table.field_place(field)) return unknown_field(rules, field, table);
  }
  for (const std::string& field : rules.only) {
    if (!table.field_place(field)) return unknown_field(rules, field, table);
  }
  for (const std::string& field : rules.read_only) {
    if (!table.field_place(field)) return unknown_field(rules, field, table);
  }
  for (const auto& [name, aggregate] : rules.aggregates) {
    if (aggregate.function) continue;
    const AggregateSpec& definition = aggregate.definition;
    if (!definition.field.empty() && !table.field_place(definition.field)) {
      return unknown_field(rules, definition.field, table);
    }
    for (const std::string& field : definition.group_by) {
      if (!table.field_place(field)) return unknown_field(rules, field, table);
    }
  }
  return {};
}

// Takes the hidden fields out of the resource, and what names them.
void hide_fields(Resource& resource, const std::vector<std::string>& only) {
  const Key* primary = resource.primary_key();
  std::vector<std::optional<std::size_t>> new_place(resource.fields.size());
  std::vector<Field> shown;
  for (std::size_t place = 0; place < resource.fields.size(); ++place) {
    const bool in_key =
        primary && std::count(primary->fields.begin(), primary->fields.end(), place) > 0;
    if (!in_key &&
        std::count(only.begin(), only.end(), resource.fields[place].name) == 0) {
      continue;
    }
    new_place[place] = shown.size();
    shown.push_back(std::move(resource.fields[place]));
  }
  resource.fields = std::move(shown);

  const auto move_places = [&](std::vector<std::size_t>& places) {
    for (std::size_t& place : places) {
      if (!new_place[place]) return false;
      place = *new_place[place];
    }
    return true;
  };
  std::erase_if(resource.keys, [&](Key& key) { return !move_places(key.fields); });
  std::erase_if(resource.foreign_keys,
                [&](ForeignKey& key) { return !move_places(key.fields); });
}

}  // namespace

Result<Resource> apply_rules(Resource table, const ResourceRules& rules) {
  TALLY_TRY(check_names(table, rules));
  Resource resource = std::move(table);
  resource.name = rules.name;
  resource.operations = rules.operations;
  if (resource.operations.empty()) {
    resource.operations.insert(kAllOperations.begin(), kAllOperations.end());
  }
  resource.parallel = rules.parallel;
  resource.aggregates = rules.aggregates;
  for (Field& field : resource.fields) {
    if (rules.read_only.contains(field.name)) field.read_only = true;
    if (const auto found = rules.fields.find(field.name); found != rules.fields.end()) {
      field.rules = found->second;
    }
  }
  if (!rules.only.empty()) hide_fields(resource, rules.only);
  return resource;
}

Result<void> require_few_fields(const Resource& resource, std::size_t fields_max) {
  if (resource.fields.size() <= fields_max) return {};
  return Error{ErrorCode::kInvalidArgument,
               "resource '" + resource.name + "' has " +
                   std::to_string(resource.fields.size()) + " fields; at most " +
                   std::to_string(fields_max) +
                   " are exposed (fields_max); name those that matter in 'only'"};
}

ResourceCatalog::ResourceCatalog(Target& target, std::vector<ResourceRules> rules,
                                 std::size_t fields_max)
    : target_(target), rules_(std::move(rules)), fields_max_(fields_max) {
  std::sort(
      rules_.begin(), rules_.end(),
      [](const ResourceRules& a, const ResourceRules& b) { return a.name < b.name; });
}

Result<std::shared_ptr<const Resource>> ResourceCatalog::find(std::string_view name) {
  const auto found = std::find_if(rules_.begin(), rules_.end(),
                                  [&](const ResourceRules& r) { return r.name == name; });
  if (found == rules_.end()) {
    return Error{
        ErrorCode::kNotFound,
        "there is no resource '" + std::string(name) + "'" + did_you_mean(name, names()),
        "UNKNOWN_RESOURCE"};
  }
  TALLY_TRY_ASSIGN(Resource table, target_.introspect(found->table));
  TALLY_TRY_ASSIGN(Resource resource, apply_rules(std::move(table), *found));
  TALLY_TRY(require_few_fields(resource, fields_max_));
  return std::make_shared<const Resource>(std::move(resource));
}

std::vector<std::string> ResourceCatalog::names() const {
  std::vector<std::string> names;
  for (const ResourceRules& rules : rules_) names.push_back(rules.name);
  return names;
}

Result<void> ResourceCatalog::check() {
  for (const ResourceRules& rules : rules_) TALLY_TRY(find(rules.name));
  return {};
}

}  // namespace tallyman
