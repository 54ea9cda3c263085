#include "target/write_plan.h"

#include <algorithm>
#include <string>

#include "base/join.h"
#include "base/nearest_name.h"

namespace tallyman {
namespace {

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

Error unknown_field(const Resource& resource, std::string_view what,
                    std::string_view name) {
  std::string message =
      std::string(what) + " " + quoted(name) + " is no field of " + quoted(resource.name);
  if (const auto nearest = nearest_name(name, resource.field_names())) {
    message += "; did you mean " + quoted(*nearest) + "?";
  }
  return invalid(std::move(message));
}

std::string names_of(const Resource& resource, const Key& key) {
  std::string names;
  for (const std::size_t field : key.fields) {
    names += (names.empty() ? "" : ", ") + resource.fields[field].name;
  }
  return names;
}

std::optional<std::size_t> column_of(const WritePlan& plan, std::size_t field) {
  const auto found = std::find(plan.fields.begin(), plan.fields.end(), field);
  if (found == plan.fields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - plan.fields.begin());
}

// The columns of a key; nothing where one is not there.
std::optional<std::vector<std::size_t>> columns_of(const WritePlan& plan,
                                                   const Key& key) {
  std::vector<std::size_t> columns;
  for (const std::size_t field : key.fields) {
    const auto column = column_of(plan, field);
    if (!column) return std::nullopt;
    columns.push_back(*column);
  }
  return columns;
}

Result<void> read_columns(const Resource& resource, const WriteSpec& spec,
                          WritePlan& plan) {
  for (const std::string& name : spec.columns) {
    const auto field = resource.field_place(name);
    if (!field) return unknown_field(resource, "column", name);
    if (column_of(plan, *field)) {
      return invalid("column " + quoted(name) + " occurs twice; drop one of them");
    }
    plan.fields.push_back(*field);
  }
  plan.records_may_lack_fields = spec.sparse;
  return {};
}

Result<std::size_t> find_key(const Resource& resource,
                             const std::vector<std::string>& unique_fields) {
  if (unique_fields.empty()) {
    if (resource.primary_key()) return std::size_t{0};
    return invalid("table " + quoted(resource.table) +
                   " has no primary key; name a unique key by unique_fields");
  }
  for (const std::string& name : unique_fields) {
    if (!resource.field_place(name)) return unknown_field(resource, "unique field", name);
  }
  if (const Key* key = resource.key_of(unique_fields)) {
    return static_cast<std::size_t>(key - resource.keys.data());
  }
  std::string message = "unique_fields: no unique key of " + quoted(resource.table) +
                        " has exactly these fields";
  for (std::size_t i = 0; i < resource.keys.size(); ++i) {
    message += (i == 0 ? "; its keys: " : " | ") + names_of(resource, resource.keys[i]);
  }
  return invalid(std::move(message));
}

Result<void> choose_key(const Resource& resource, const WriteSpec& spec,
                        WritePlan& plan) {
  if (!is_keyed(spec.operation)) return {};
  TALLY_TRY_ASSIGN(plan.key, find_key(resource, spec.unique_fields));
  const Key& key = resource.keys[*plan.key];
  const auto columns = columns_of(plan, key);
  if (!columns) {
    return invalid("the key (" + names_of(resource, key) +
                   ") must be among the columns; add what is missing");
  }
  plan.key_columns = *columns;
  return {};
}

// A key whose value the database makes up tells two records of an upload apart only where
// they carry it, and JSON records need not.
bool is_made_up(const Resource& resource, const WritePlan& plan, const Key& key) {
  return plan.records_may_lack_fields &&
         std::any_of(key.fields.begin(), key.fields.end(), [&](std::size_t field) {
           return resource.fields[field].has_default;
         });
}

Result<void> choose_duplicate_key(const Resource& resource, const WriteSpec& spec,
                                  WritePlan& plan) {
  if (is_keyed(spec.operation)) {
    plan.duplicate_key = plan.key;
    plan.duplicate_columns = plan.key_columns;
    return {};
  }
  if (!spec.unique_fields.empty()) {
    TALLY_TRY_ASSIGN(plan.duplicate_key, find_key(resource, spec.unique_fields));
  } else {
    for (const bool made_up : {false, true}) {
      for (std::size_t i = 0; i < resource.keys.size() && !plan.duplicate_key; ++i) {
        const Key& key = resource.keys[i];
        if (is_made_up(resource, plan, key) == made_up && columns_of(plan, key)) {
          plan.duplicate_key = i;
        }
      }
    }
  }
  if (plan.duplicate_key) {
    const Key& key = resource.keys[*plan.duplicate_key];
    const auto columns = columns_of(plan, key);
    if (!columns) {
      return invalid("the key (" + names_of(resource, key) +
                     ") must be among the columns; add what is missing");
    }
    plan.duplicate_columns = *columns;
  } else if (spec.on_duplicate != OnDuplicate::kSequence) {
    return invalid("on_duplicate=" + std::string(name(spec.on_duplicate)) +
                   " needs a unique key of " + quoted(resource.table) +
                   " whose fields are all among the columns; add them or leave "
                   "on_duplicate away");
  }
  return {};
}

Result<void> choose_written(const Resource& resource, const WriteSpec& spec,
                            WritePlan& plan) {
  const std::size_t columns = plan.fields.size();
  plan.bound.assign(columns, spec.operation != Operation::kDelete);
  plan.written_on_match.assign(columns, spec.operation != Operation::kDelete);
  for (const std::size_t column : plan.key_columns) {
    plan.bound[column] = true;
    plan.written_on_match[column] = false;
  }
  if (!spec.update_fields) return {};
  if (spec.operation != Operation::kUpsert) {
    return invalid("update_fields are for upserts only; leave them away");
  }
  plan.written_on_match.assign(columns, false);
  for (const std::string& name : *spec.update_fields) {
    const auto field = resource.field_place(name);
    if (!field) return unknown_field(resource, "update field", name);
    const auto column = column_of(plan, *field);
    if (!column) {
      return invalid("update field " + quoted(name) + " must be among the columns");
    }
    plan.written_on_match[*column] = true;
  }
  return {};
}

// A key that only finds rows may be read-only.
bool is_for_finding(const WritePlan& plan, std::size_t column) {
  return plan.operation != Operation::kUpsert && plan.is_key_column(column);
}

Result<void> judge_columns(const Resource& resource, const WritePlan& plan) {
  for (std::size_t column = 0; column < plan.fields.size(); ++column) {
    const Field& field = resource.fields[plan.fields[column]];
    if (field.writable() || !plan.bound[column] || is_for_finding(plan, column)) continue;
    if (plan.operation == Operation::kUpsert && plan.is_key_column(column)) {
      return invalid("field " + quoted(field.name) +
                     " is read-only, so an upsert could not insert it");
    }
    if (plan.records_may_lack_fields) continue;
    return invalid("column " + quoted(field.name) + " is " +
                   (field.generated ? "computed by the database" : "read-only") +
                   "; leave it away");
  }
  return {};
}

Result<void> judge_required(const Resource& resource, const WritePlan& plan) {
  if (plan.operation != Operation::kInsert && plan.operation != Operation::kReplace) {
    return {};
  }
  std::string missing;
  for (std::size_t i = 0; i < resource.fields.size(); ++i) {
    const Field& field = resource.fields[i];
    if (!field.required()) continue;
    if (!field.writable() && plan.operation == Operation::kInsert) {
      return invalid("field " + quoted(field.name) + " of " + quoted(resource.name) +
                     " is required but read-only, so nothing can be inserted");
    }
    if (column_of(plan, i) || (!field.writable())) continue;
    missing += (missing.empty() ? "" : ", ") + field.name;
  }
  if (missing.empty()) return {};
  return invalid("required columns of " + quoted(resource.table) +
                 " are missing: " + missing + "; add them to the header");
}

}  // namespace

bool WritePlan::is_key_column(std::size_t column) const {
  return std::find(key_columns.begin(), key_columns.end(), column) != key_columns.end();
}

Result<WritePlan> plan_write(const Resource& resource, const WriteSpec& spec) {
  WritePlan plan;
  plan.operation = spec.operation;
  TALLY_TRY(read_columns(resource, spec, plan));
  TALLY_TRY(choose_key(resource, spec, plan));
  TALLY_TRY(choose_duplicate_key(resource, spec, plan));
  TALLY_TRY(choose_written(resource, spec, plan));
  TALLY_TRY(judge_columns(resource, plan));
  TALLY_TRY(judge_required(resource, plan));
  return plan;
}

WrittenFields written_fields(const WritePlan& plan, const Resource& resource,
                             const Resource& table) {
  WrittenFields written;
  for (const std::size_t field : plan.fields) {
    written.places.push_back(table.field_place(resource.fields[field].name).value());
  }
  if (plan.operation != Operation::kReplace) return written;
  const Key* primary = table.primary_key();
  for (const Field& shown : resource.fields) {
    const std::size_t place = table.field_place(shown.name).value();
    const auto sent = std::find(written.places.begin(), written.places.end(), place);
    const bool in_key =
        (sent != written.places.end() &&
         plan.is_key_column(static_cast<std::size_t>(sent - written.places.begin()))) ||
        (primary && std::find(primary->fields.begin(), primary->fields.end(), place) !=
                        primary->fields.end());
    if (shown.writable() && !in_key) written.replaceable.push_back(place);
  }
  return written;
}

std::string duplicate_field_names(const WritePlan& plan, const Resource& resource) {
  std::vector<std::string> names;
  for (const std::size_t column : plan.duplicate_columns) {
    names.push_back(resource.fields[plan.fields[column]].name);
  }
  return join(names, ", ");
}

Result<void> check_hidden_columns(const Resource& resource, const Resource& table) {
  for (const Field& field : table.fields) {
    if (!field.required() || resource.field_place(field.name)) continue;
    return invalid("nothing can be inserted: column " + quoted(field.name) +
                   " of table " + quoted(table.table) + " is required, but resource " +
                   quoted(resource.name) + " does not show it");
  }
  return {};
}

}  // namespace tallyman
