#include "target/sqlite_classifier.h"

#include <sqlite3.h>

#include <algorithm>

#include "base/join.h"
#include "target/sqlite_sql.h"

namespace tallyman {
namespace {

using enum RecordErrorCode;
using Statement = SqliteRefusal::Statement;

bool drop_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

RecordError elsewhere(std::string_view text) {
  return {kDatabaseError,
          {},
          "a trigger or the action of a foreign key failed: " + std::string(text)};
}

RecordError duplicate(const std::string& fields) {
  const bool several = fields.find(", ") != std::string::npos;
  return {kDuplicateValue, fields,
          several ? "a row with these values exists" : "a row with this value exists"};
}

// The columns that SQLite names: "t.a, t.b" -> "a, b". Nothing where they are not the
// table's.
std::optional<std::string> columns_of(std::string_view text, const Resource& table) {
  const std::string prefix = table.table + ".";
  std::vector<std::string> names;
  while (drop_prefix(text, prefix)) {
    const std::size_t end = std::min(text.find(", " + prefix), text.size());
    names.emplace_back(text.substr(0, end));
    if (!table.field_place(names.back())) return std::nullopt;
    text.remove_prefix(end);
    drop_prefix(text, ", ");
  }
  if (names.empty() || !text.empty()) return std::nullopt;
  return join(names, ", ");
}

}  // namespace

// The row as the record would have made it, in SQL: parameters for what was sent, the
// defaults of the table, or columns of the row as it is ("own").
struct SqliteClassifier::Query {
  const SqliteWrite& write;
  const SqliteRefusal& refusal;
  std::span<const BoundValue> values;
  std::vector<BoundValue> parameters;

  std::string parameter(const BoundValue& value) {
    parameters.push_back(value);
    return "?" + std::to_string(parameters.size());
  }

  bool is_written(std::size_t column) const {
    if (!write.plan.bound[column] || values[column].kind == BoundKind::kAbsent)
      return false;
    return refusal.statement == Statement::kInsert || write.plan.written_on_match[column];
  }

  // Nothing where only the database knows.
  std::optional<std::string> new_value(std::size_t place) {
    const Field& field = write.table.resource.fields[place];
    const auto column = write.column_of(place);
    if (column && is_written(*column)) return parameter(values[*column]);
    const bool replaced = refusal.statement == Statement::kUpdate &&
                          std::find(write.replaceable.begin(), write.replaceable.end(),
                                    place) != write.replaceable.end();
    if (field.generated) return std::nullopt;
    if (refusal.statement != Statement::kInsert && !replaced) return own(field.name);
    if (write.table.rowid_column == place || !is_constant_default(field.default_sql)) {
      return std::nullopt;
    }
    return default_expression(field.default_sql);
  }

  static std::string own(std::string_view name) { return "own." + quote_name(name); }

  std::string from_own() const {
    return quote_table(write.table.resource.table) + " AS own";
  }

  std::string where_own() {
    std::vector<std::string> terms;
    for (std::size_t i = 0; i < write.plan.key_columns.size(); ++i) {
      terms.push_back("own." + write.key_column(*write.plan.key, i) + " = " +
                      parameter(values[write.plan.key_columns[i]]));
    }
    return join(terms, " AND ");
  }

  bool has_own() const { return refusal.statement != Statement::kInsert; }
};

Result<RecordError> SqliteClassifier::classify(const SqliteRefusal& refusal,
                                               std::span<const BoundValue> values) {
  std::string_view text = refusal.text;
  switch (refusal.code) {
    case SQLITE_CONSTRAINT_NOTNULL: {
      drop_prefix(text, "NOT NULL constraint failed: ");
      const auto field = columns_of(text, write_.table.resource);
      if (!field) return elsewhere(refusal.text);
      return RecordError{kNotNullViolation, *field, "must not be NULL"};
    }
    case SQLITE_CONSTRAINT_CHECK:
      drop_prefix(text, "CHECK constraint failed: ");
      return RecordError{kCheckViolation,
                         {},
                         "breaks the check constraint \"" + std::string(text) + "\""};
    case SQLITE_CONSTRAINT_FOREIGNKEY: return classify_foreign_key(refusal, values);
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return classify_unique(refusal, values);
    case SQLITE_CONSTRAINT_TRIGGER:
      return RecordError{
          kDatabaseError, {}, "a trigger refused the record: " + std::string(text)};
    default:
      // Other texts of SQLite may quote what a function was given.
      return RecordError{kDatabaseError,
                         {},
                         "the database refused the record: " +
                             std::string(sqlite3_errstr(refusal.code)) + " (code " +
                             std::to_string(refusal.code) + ")"};
  }
}

Result<RecordError> SqliteClassifier::classify_unique(
    const SqliteRefusal& refusal, std::span<const BoundValue> values) {
  std::string_view text = refusal.text;
  drop_prefix(text, "UNIQUE constraint failed: ");
  const bool of_expression = text.starts_with("index '");
  const auto fields = columns_of(text, write_.table.resource);
  if (!fields && !of_expression) return elsewhere(refusal.text);

  TALLY_TRY_ASSIGN(auto orphan, find_missing_parent(refusal, values));
  if (orphan) return *std::move(orphan);
  TALLY_TRY_ASSIGN(auto found, find_duplicate(refusal, values));
  if (found) return *std::move(found);
  if (fields) return duplicate(*fields);
  return RecordError{kDuplicateValue,
                     {},
                     "a row with this value exists in the unique " + std::string(text)};
}

Result<RecordError> SqliteClassifier::classify_foreign_key(
    const SqliteRefusal& refusal, std::span<const BoundValue> values) {
  TALLY_TRY_ASSIGN(auto orphan, find_missing_parent(refusal, values));
  if (orphan) return *std::move(orphan);
  TALLY_TRY_ASSIGN(auto child, find_child(refusal, values));
  if (child) return *std::move(child);
  return RecordError{kForeignKeyViolation, {}, "breaks a foreign key"};
}

Result<std::optional<RecordError>> SqliteClassifier::find_missing_parent(
    const SqliteRefusal& refusal, std::span<const BoundValue> values) {
  if (refusal.statement == Statement::kDelete) return std::optional<RecordError>();
  for (const ForeignKey& key : write_.table.resource.foreign_keys) {
    if (key.fields.empty() || key.fields.size() != key.parent_fields.size()) continue;
    Query query{write_, refusal, values, {}};
    const bool of_itself =
        is_same_sqlite_name(key.parent_table, write_.table.resource.table);
    std::vector<std::string> terms;
    std::vector<std::string> matches;
    std::vector<std::string> itself;
    bool known = true;
    for (std::size_t i = 0; i < key.fields.size() && known; ++i) {
      const auto value = query.new_value(key.fields[i]);
      known = value.has_value();
      if (!known) break;
      terms.push_back(*value + " IS NOT NULL");
      matches.push_back("parent." + quote_name(key.parent_fields[i]) + " = " + *value);
      if (!of_itself) continue;
      const auto place = write_.table.resource.field_place(key.parent_fields[i]);
      const auto parent = place ? query.new_value(*place) : std::nullopt;
      itself.push_back("coalesce(" + *value + " = " + parent.value_or("NULL") + ", 0)");
    }
    if (!known) continue;
    if (of_itself) terms.push_back("NOT (" + join(itself, " AND ") + ")");
    if (query.has_own()) terms.push_back(query.where_own());
    const std::string sql =
        "SELECT 1" + (query.has_own() ? " FROM " + query.from_own() : std::string()) +
        " WHERE " + join(terms, " AND ") + " AND NOT EXISTS (SELECT 1 FROM " +
        quote_table(key.parent_table) + " AS parent WHERE " + join(matches, " AND ") +
        ")";
    TALLY_TRY_ASSIGN(const bool orphan, ask(query, sql));
    if (orphan) {
      return std::optional(RecordError{kForeignKeyViolation, field_names(key.fields),
                                       "table \"" + key.parent_table +
                                           "\" has no row with this value in (" +
                                           join(key.parent_fields, ", ") + ")"});
    }
  }
  return std::optional<RecordError>();
}

Result<std::optional<RecordError>> SqliteClassifier::find_child(
    const SqliteRefusal& refusal, std::span<const BoundValue> values) {
  if (refusal.statement == Statement::kInsert) return std::optional<RecordError>();
  for (const SqliteReference& reference : write_.table.references) {
    const bool acts = refusal.statement == Statement::kDelete ? reference.acts_on_delete
                                                              : reference.acts_on_update;
    if (acts || reference.child_columns.size() != reference.parent_columns.size())
      continue;
    Query query{write_, refusal, values, {}};
    std::vector<std::string> terms;
    for (std::size_t i = 0; i < reference.child_columns.size(); ++i) {
      terms.push_back(Query::own(reference.parent_columns[i]) + " = child." +
                      quote_name(reference.child_columns[i]));
    }
    terms.push_back(query.where_own());
    TALLY_TRY_ASSIGN(
        const bool found,
        ask(query, "SELECT 1 FROM " + query.from_own() + ", " +
                       quote_table(reference.child_table) + " AS child WHERE " +
                       join(terms, " AND ") + " LIMIT 1"));
    if (found) {
      return std::optional(RecordError{
          kForeignKeyViolation, join(reference.parent_columns, ", "),
          "rows of table \"" + reference.child_table + "\" still refer to this one by (" +
              join(reference.child_columns, ", ") + ")"});
    }
  }
  return std::optional<RecordError>();
}

Result<std::optional<RecordError>> SqliteClassifier::find_duplicate(
    const SqliteRefusal& refusal, std::span<const BoundValue> values) {
  const SqliteTable& table = write_.table;
  for (std::size_t k = 0; k < table.resource.keys.size(); ++k) {
    const Key& key = table.resource.keys[k];
    Query query{write_, refusal, values, {}};
    std::vector<std::string> terms;
    bool known = true;
    for (std::size_t i = 0; i < key.fields.size() && known; ++i) {
      const auto value = query.new_value(key.fields[i]);
      known = value.has_value();
      if (known) terms.push_back("other." + write_.key_column(k, i) + " = " + *value);
    }
    if (!known) continue;
    std::string from = quote_table(table.resource.table) + " AS other";
    if (query.has_own()) {
      from = query.from_own() + ", " + from;
      terms.push_back(query.where_own());
      std::vector<std::string> same;
      for (std::size_t i = 0; i < write_.plan.key_columns.size(); ++i) {
        same.push_back("other." + write_.key_column(*write_.plan.key, i) + " = own." +
                       write_.key_column(*write_.plan.key, i));
      }
      terms.push_back("NOT (" + join(same, " AND ") + ")");
    }
    TALLY_TRY_ASSIGN(const bool found, ask(query, "SELECT 1 FROM " + from + " WHERE " +
                                                      join(terms, " AND ") + " LIMIT 1"));
    if (found) return std::optional(duplicate(field_names(key.fields)));
  }
  return std::optional<RecordError>();
}

Result<bool> SqliteClassifier::ask(const Query& query, const std::string& sql) {
  TALLY_TRY_ASSIGN(auto statement, connection_.prepare(sql));
  int place = 0;
  for (const BoundValue& value : query.parameters) bind_value(statement, ++place, value);
  return statement.step();
}

std::string SqliteClassifier::field_names(const std::vector<std::size_t>& fields) const {
  std::vector<std::string> names;
  for (const std::size_t field : fields) {
    names.push_back(write_.table.resource.fields[field].name);
  }
  return join(names, ", ");
}

}  // namespace tallyman
