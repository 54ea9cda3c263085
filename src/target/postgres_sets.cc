#include "target/postgres_sets.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/join.h"

namespace tallyman {
namespace {

bool is_in(const std::vector<std::size_t>& list, std::size_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool shares_a_field(const std::vector<std::size_t>& a,
                    const std::vector<std::size_t>& b) {
  return std::any_of(a.begin(), a.end(), [&](std::size_t one) { return is_in(b, one); });
}

bool inserts(Operation operation) {
  return operation == Operation::kInsert || operation == Operation::kUpsert;
}

// Table fields that rows which are there are given.
std::vector<std::size_t> changed_fields(const PostgresWrite& write) {
  std::vector<std::size_t> fields = write.replaceable;
  for (std::size_t column = 0; column < write.places.size(); ++column) {
    if (write.plan.written_on_match[column] && write.plan.bound[column]) {
      fields.push_back(write.places[column]);
    }
  }
  return fields;
}

// Table fields that new rows are given by their records.
std::vector<std::size_t> sent_fields(const PostgresWrite& write) {
  std::vector<std::size_t> fields;
  for (std::size_t column = 0; column < write.places.size(); ++column) {
    if (write.plan.bound[column]) fields.push_back(write.places[column]);
  }
  return fields;
}

// Names of unique keys, but for the key `but`, that have one of the fields. A partial
// key's predicate may read any field.
std::vector<std::string> keys_with(const PostgresWrite& write,
                                   const std::vector<std::size_t>& fields,
                                   std::optional<std::size_t> but) {
  std::vector<std::string> names;
  const auto& keys = write.table.resource.keys;
  for (std::size_t key = 0; key < keys.size(); ++key) {
    if (key == but || fields.empty()) continue;
    const bool is_partial = !write.table.keys[key].predicate.empty();
    if (is_partial || shares_a_field(keys[key].fields, fields)) {
      names.push_back(keys[key].name);
    }
  }
  for (const PostgresExpressionKey& key : write.table.expression_keys) {
    const bool is_partial = !key.predicate.empty() && !fields.empty();
    if (is_partial || shares_a_field(key.fields, fields)) names.push_back(key.name);
  }
  return names;
}

// Calls in a default that give no two rows the same. (`'...'::uuid` gives all of them
// one.)
constexpr auto kMadeAnew =
    std::to_array<std::string_view>({"nextval(", "gen_random_uuid(", "uuid_generate_v"});

// What no two rows are given: of a sequence, or made up at random.
bool is_made_anew(const PostgresColumn& column, const Field& field) {
  if (column.identity_always) return true;
  if (!field.has_default) return false;
  const std::string& sql = field.default_sql;
  return sql.empty() || std::ranges::any_of(kMadeAnew, [&](std::string_view call) {
           return sql.find(call) != std::string::npos;
         });
}

// True where rows whose records bring none of the fields may all be given the same key.
bool is_given_to_many(const PostgresWrite& write, const std::vector<std::size_t>& fields,
                      bool nulls_are_equal) {
  if (shares_a_field(fields, sent_fields(write))) return false;
  return std::ranges::none_of(fields, [&](std::size_t place) {
    const Field& field = write.table.resource.fields[place];
    const bool is_null = !field.has_default && !field.generated;
    return is_made_anew(write.table.columns[place], field) ||
           (is_null && !nulls_are_equal);
  });
}

// Names of unique keys, but for the key `but`, that a job writes though no record has
// them: new rows get them by default, or columns of theirs are computed.
std::vector<std::string> keys_by_default(const PostgresWrite& write,
                                         std::optional<std::size_t> but) {
  const bool makes_rows = inserts(write.plan.operation);
  const auto is_computed = [&](std::size_t place) {
    return write.table.resource.fields[place].generated &&
           !write.table.columns[place].identity_always;
  };
  std::vector<std::string> names;
  const auto& keys = write.table.resource.keys;
  for (std::size_t key = 0; key < keys.size(); ++key) {
    const std::vector<std::size_t>& fields = keys[key].fields;
    if (key == but) continue;
    if (std::ranges::any_of(fields, is_computed) ||
        (makes_rows &&
         is_given_to_many(write, fields, write.table.keys[key].nulls_are_equal))) {
      names.push_back(keys[key].name);
    }
  }
  for (const PostgresExpressionKey& key : write.table.expression_keys) {
    if (makes_rows && is_given_to_many(write, key.fields, true))
      names.push_back(key.name);
  }
  return names;
}

// A default with effects of its own that a new row may take.
const Field* default_with_effects(const PostgresWrite& write) {
  for (std::size_t place = 0; place < write.table.columns.size(); ++place) {
    const bool sent =
        write.column_of(place).has_value() && !write.plan.records_may_lack_fields;
    if (!sent && write.table.columns[place].default_has_effects) {
      return &write.table.resource.fields[place];
    }
  }
  return nullptr;
}

using WhyNot = std::optional<std::string> (*)(const PostgresTable&, PostgresAction);

std::optional<std::string> why_not_by_actions(const PostgresWrite& write,
                                              WhyNot why_not) {
  const Operation operation = write.plan.operation;
  if (inserts(operation)) {
    if (auto why = why_not(write.table, PostgresAction::kInsert)) return why;
    if (const Field* field = default_with_effects(write)) {
      return "the default of \"" + field->name +
             "\" calls a function that may have "
             "effects of its own";
    }
  }
  if (operation == Operation::kDelete) {
    return why_not(write.table, PostgresAction::kDelete);
  }
  if (operation != Operation::kInsert) {
    return why_not(write.table, PostgresAction::kUpdate);
  }
  return std::nullopt;
}

std::optional<std::string> why_not_by_itself(const PostgresWrite& write) {
  for (std::size_t key = 0; key < write.table.foreign_keys.size(); ++key) {
    const ForeignKey& named = write.table.resource.foreign_keys[key];
    if (write.table.foreign_keys[key].to_itself &&
        shares_a_field(named.fields, sent_fields(write))) {
      return "the foreign key " + named.name + " leads to the table itself";
    }
  }
  for (const PostgresReference& reference : write.table.references) {
    if (reference.from_itself && write.plan.operation == Operation::kDelete) {
      return "the foreign key " + reference.name + " leads to the table itself";
    }
  }
  return std::nullopt;
}

std::optional<std::string> why_not_by_key(const PostgresWrite& write) {
  if (!write.plan.key) return std::nullopt;
  const PostgresKey& key = write.table.keys[*write.plan.key];
  const std::string& name = write.table.resource.keys[*write.plan.key].name;
  if (!key.canonical || key.nulls_are_equal) {
    return "values of the key " + name + " may be equal without having the same bytes";
  }
  // A row that is changed may leave the key, or come to have it.
  if (!key.predicate.empty() && write.plan.operation != Operation::kDelete) {
    return "the key " + name + " is one of some rows only";
  }
  const auto touched = keys_with(write, changed_fields(write), write.plan.key);
  if (!touched.empty())
    return "the columns write other unique keys: " + join(touched, ", ");
  if (write.plan.operation != Operation::kDelete) {
    const auto given = keys_by_default(write, write.plan.key);
    if (!given.empty()) {
      return "rows get other unique keys that no record brings: " + join(given, ", ");
    }
  }
  if (!write.table.exclusions.empty() && !changed_fields(write).empty()) {
    return "the table has the exclusion constraint " + write.table.exclusions.front();
  }
  return std::nullopt;
}

std::optional<std::string> why_not(const PostgresWrite& write, WhyNot by_table) {
  if (auto why = why_not_by_actions(write, by_table)) return why;
  if (auto why = why_not_by_itself(write)) return why;
  return why_not_by_key(write);
}

// Of slices by a key: how they are told ("turns"), and from what.
std::string signature_of_key(const PostgresTable& table,
                             std::span<const std::size_t> fields) {
  std::string signature = "turns";
  for (const std::size_t field : fields) {
    signature +=
        " " + table.columns[field].sql_name + " " + table.columns[field].type.name;
  }
  return signature;
}

// What PostgresBinder tells slices by.
std::string signature_of(const PostgresWrite& write) {
  if (!write.plan.duplicate_key) return "place";
  std::vector<std::size_t> fields;
  for (const std::size_t column : write.plan.duplicate_columns) {
    fields.push_back(write.places[column]);
  }
  return signature_of_key(write.table, fields);
}

bool is_plain_key(const PostgresKey& key) {
  return key.predicate.empty() && key.canonical && !key.nulls_are_equal;
}

// Told by the table alone, so that all jobs agree.
std::optional<std::string> signature_of_meeting_key(const PostgresTable& table) {
  const auto& keys = table.resource.keys;
  std::optional<std::size_t> meeting;
  for (std::size_t key = 0; key < keys.size(); ++key) {
    if (!is_plain_key(table.keys[key])) continue;
    const bool is_made_up = keys[key].primary && keys[key].fields.size() == 1 &&
                            table.resource.fields[keys[key].fields.front()].has_default;
    if (!meeting || table.resource.keys[*meeting].primary) meeting = key;
    if (!is_made_up) break;
  }
  if (!meeting) return std::nullopt;
  return signature_of_key(table, keys[*meeting].fields);
}

Slicing one_slice(const PostgresWrite& write, std::string reason) {
  return {.by = Slicing::By::kNothing,
          .signature = signature_of(write),
          .reason = std::move(reason)};
}

}  // namespace

std::optional<std::string> why_no_sets(const PostgresWrite& write) {
  return why_not(write, why_one_by_one);
}

bool meets_others_by_slice(const PostgresWrite& write) {
  const Slicing slicing = slicing_of(write);
  if (slicing.by == Slicing::By::kPlace) return true;
  return slicing.by == Slicing::By::kKey &&
         slicing.signature == signature_of_meeting_key(write.table);
}

Slicing slicing_of(const PostgresWrite& write) {
  if (auto why = why_not(write, why_in_file_order)) return one_slice(write, *why);
  if (!write.table.exclusions.empty() && inserts(write.plan.operation)) {
    return one_slice(write, "the table has the exclusion constraint " +
                                write.table.exclusions.front());
  }
  const bool insert = write.plan.operation == Operation::kInsert;
  const auto touched =
      inserts(write.plan.operation)
          ? keys_with(write, sent_fields(write), write.plan.duplicate_key)
          : std::vector<std::string>();
  if (!touched.empty()) {
    return one_slice(write, "the columns write several unique keys, among them " +
                                join(touched, ", "));
  }
  if (insert) {
    const auto given = keys_by_default(write, write.plan.duplicate_key);
    if (!given.empty()) {
      return one_slice(
          write, "rows get unique keys that no record brings: " + join(given, ", "));
    }
  }
  if (insert && !write.plan.duplicate_key) {
    return {.by = Slicing::By::kPlace, .signature = signature_of(write), .reason = ""};
  }
  const std::size_t key = *write.plan.duplicate_key;
  if (!write.table.keys[key].canonical) {
    return one_slice(write, "values of the key " + write.table.resource.keys[key].name +
                                " may be equal without having the same bytes");
  }
  return {.by = Slicing::By::kKey, .signature = signature_of(write), .reason = ""};
}

}  // namespace tallyman
