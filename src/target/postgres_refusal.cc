#include "target/postgres_refusal.h"

#include <algorithm>

#include "base/join.h"

namespace tallyman {
namespace {

using enum RecordErrorCode;
using db::postgres_quoted;

RecordError of_index(const std::string& name) {
  return {kDuplicateValue,
          {},
          "a row with this value exists in the unique index \"" + name + "\""};
}

}  // namespace

RecordError missing_parent_error(const PostgresWrite& write, std::size_t foreign_key) {
  const ForeignKey& key = write.table.resource.foreign_keys[foreign_key];
  return {kForeignKeyViolation, write.field_names(key.fields),
          "table \"" + key.parent_table + "\" has no row with this value in (" +
              join(key.parent_fields, ", ") + ")"};
}

RecordError duplicate_error(const PostgresWrite& write, std::size_t key) {
  const std::vector<std::size_t>& fields = write.table.resource.keys[key].fields;
  return {kDuplicateValue, write.field_names(fields),
          fields.size() > 1 ? "a row with these values exists"
                            : "a row with this value exists"};
}

RecordError check_error(const std::string& constraint) {
  return {kCheckViolation, {}, "breaks the check constraint \"" + constraint + "\""};
}

// The row as the record would have made it, in SQL: parameters for what was sent, the
// defaults of the table, or columns of the row as it is ("t").
class PostgresClassifier::Row {
 public:
  Row(const PostgresWrite& write, const PostgresWindow& window, PostgresAction action,
      std::size_t i)
      : write_(write), window_(window), action_(action), i_(i) {}

  bool has_own() const { return action_ != PostgresAction::kInsert; }

  std::string parameter(std::size_t column) {
    params.add_view(write_.type(column).wire_oid, window_.wire(column, i_));
    return "$" + std::to_string(params.size());
  }

  // Nothing where only the database knows.
  std::optional<std::string> new_value(std::size_t place) {
    const Field& field = write_.table.resource.fields[place];
    const auto column = write_.column_of(place);
    if (column && is_written(*column)) {
      if (window_.state(*column, i_) == CellState::kNull) {
        return "NULL::" + write_.type(*column).name;
      }
      return write_.assigned(*column, parameter(*column));
    }
    if (field.generated) return std::nullopt;
    const bool replaced = std::find(write_.replaceable.begin(), write_.replaceable.end(),
                                    place) != write_.replaceable.end();
    if (has_own() && !replaced) return "t." + write_.table.columns[place].sql_name;
    if (!is_constant_postgres_default(field.default_sql)) return std::nullopt;
    if (field.default_sql.empty()) return "NULL";
    return "(" + field.default_sql + ")";
  }

  // As "t". By itself, because a partial key's predicate names columns without a table.
  std::string own() {
    return "(SELECT t.*, t.tableoid AS tallyman_table, t.ctid AS tallyman_row FROM " +
           write_.rows() + " AS t WHERE " +
           write_.has_key([&](std::size_t column) { return parameter(column); }) +
           ") AS t";
  }

  db::PostgresParams params;

 private:
  bool is_written(std::size_t column) const {
    if (!write_.plan.bound[column] || window_.state(column, i_) == CellState::kAbsent) {
      return false;
    }
    return action_ == PostgresAction::kInsert || write_.plan.written_on_match[column];
  }

  const PostgresWrite& write_;
  const PostgresWindow& window_;
  const PostgresAction action_;
  const std::size_t i_;
};

// The row itself, to a role that may read some columns only: then the constraint's name
// has to do.
bool PostgresClassifier::is_out_of_sight(PostgresAction action) const {
  return action != PostgresAction::kInsert && write_.table.rights &&
         !write_.table.rights->read;
}

Result<RecordError> PostgresClassifier::classify(const PostgresRefusal& refusal,
                                                 std::size_t i) {
  const db::PostgresFailure& failure = refusal.failure;
  const bool ours = failure.table == write_.table.name;
  if (failure.is("23502")) {
    const bool known = write_.table.resource.field_place(failure.column).has_value();
    if (ours && known) {
      return RecordError{kNotNullViolation, failure.column, "must not be NULL"};
    }
    if (!failure.column.empty()) {
      return RecordError{kDatabaseError,
                         {},
                         "a trigger or the action of a foreign key "
                         "failed: " +
                             failure.message};
    }
    return RecordError{kNotNullViolation, {}, failure.message};
  }
  if (failure.is("23514")) {
    if (failure.constraint.empty()) {
      return RecordError{kCheckViolation, {}, "no partition of the table takes the row"};
    }
    return check_error(failure.constraint);
  }
  if (failure.is("23503")) return classify_foreign_key(refusal, i);
  if (failure.is("23505")) return classify_unique(refusal, i);
  if (failure.is("23P01")) {
    return RecordError{kDuplicateValue,
                       {},
                       "a row that excludes this one exists "
                       "(constraint \"" +
                           failure.constraint + "\")"};
  }
  if (failure.is("42501")) {
    return RecordError{kPermissionDenied, {}, failure.message};
  }
  if (failure.is("P0001")) {
    return RecordError{
        kDatabaseError, {}, "a trigger refused the record: " + failure.message};
  }
  if (failure.is_class("22")) return classify_value(refusal, i);
  return RecordError{kDatabaseError,
                     {},
                     "the database refused the record: " + failure.message +
                         " (SQLSTATE " + failure.sqlstate + ")"};
}

Result<RecordError> PostgresClassifier::classify_unique(const PostgresRefusal& refusal,
                                                        std::size_t i) {
  TALLY_TRY_ASSIGN(auto orphan, find_missing_parent(refusal.action, i));
  if (orphan) return *std::move(orphan);
  TALLY_TRY_ASSIGN(auto found, find_duplicate(refusal.action, i));
  if (found) return *std::move(found);
  const std::string& name = refusal.failure.constraint;
  for (std::size_t key = 0; key < write_.table.resource.keys.size(); ++key) {
    if (write_.table.resource.keys[key].name == name) {
      return duplicate_error(write_, key);
    }
  }
  return of_index(name);
}

Result<RecordError> PostgresClassifier::classify_foreign_key(
    const PostgresRefusal& refusal, std::size_t i) {
  TALLY_TRY_ASSIGN(auto orphan, find_missing_parent(refusal.action, i));
  if (orphan) return *std::move(orphan);
  TALLY_TRY_ASSIGN(auto child, find_child(refusal.action, i));
  if (child) return *std::move(child);
  return RecordError{kForeignKeyViolation, fields_of_constraint(refusal.failure),
                     "breaks the foreign key \"" + refusal.failure.constraint + "\""};
}

// A foreign key's of this table (MATCH FULL: some of its fields are NULL and some are
// not); else empty.
std::string PostgresClassifier::fields_of_constraint(
    const db::PostgresFailure& failure) const {
  if (failure.table != write_.table.name) return {};
  for (const ForeignKey& key : write_.table.resource.foreign_keys) {
    if (key.name == failure.constraint) return write_.field_names(key.fields);
  }
  return {};
}

// Which of the values that went as text cannot be cast. The words of the server quote the
// value, so they are not used.
Result<RecordError> PostgresClassifier::classify_value(const PostgresRefusal& refusal,
                                                       std::size_t i) {
  const auto code = [&](const db::PostgresFailure& failure) {
    return failure.is("22001")                          ? kValueTooLong
           : failure.is("22003") || failure.is("22008") ? kValueOutOfRange
                                                        : kInvalidType;
  };
  for (std::size_t column = 0; column < write_.places.size(); ++column) {
    if (!write_.type(column).needs_cast() ||
        window_.state(column, i) != CellState::kValue) {
      continue;
    }
    db::PostgresParams params;
    params.add_view(write_.type(column).wire_oid, window_.wire(column, i));
    TALLY_TRY(connection_.exec("SAVEPOINT tallyman_value"));
    const auto cast =
        connection_.execute_params("SELECT " + write_.assigned(column, "$1") +
                                       "::" + write_.field(column).declared_type,
                                   params);
    const db::PostgresFailure failure = connection_.failure();
    TALLY_TRY(
        connection_.exec("ROLLBACK TO tallyman_value; RELEASE SAVEPOINT tallyman_value"));
    if (cast.ok()) continue;
    if (db::is_passing(failure)) return db::postgres_error(failure);
    return RecordError{code(failure), write_.field(column).name,
                       "is no value of the type " + write_.field(column).declared_type};
  }
  return RecordError{
      code(refusal.failure),
      {},
      "a value does not fit its type (SQLSTATE " + refusal.failure.sqlstate + ")"};
}

Result<std::optional<RecordError>> PostgresClassifier::find_missing_parent(
    PostgresAction action, std::size_t i) {
  if (action == PostgresAction::kDelete || is_out_of_sight(action)) {
    return std::optional<RecordError>();
  }
  for (std::size_t f = 0; f < write_.table.foreign_keys.size(); ++f) {
    const PostgresForeignKey& key = write_.table.foreign_keys[f];
    if (write_.table.hidden.contains(key.parent_sql_name)) continue;
    const std::vector<std::size_t>& fields = write_.table.resource.foreign_keys[f].fields;
    Row row(write_, window_, action, i);
    std::string terms;
    std::string matches;
    std::string itself;
    bool known = true;
    for (std::size_t k = 0; k < fields.size() && known; ++k) {
      const auto value = row.new_value(fields[k]);
      known = value.has_value();
      if (!known) break;
      const std::string typed = "(" + *value + ")::" + key.parent_types[k];
      terms += (k == 0 ? "" : " AND ") + typed + " IS NOT NULL";
      matches += (k == 0 ? "parent." : " AND parent.") + key.parent_sql_columns[k] +
                 " = " + typed;
      if (!key.to_itself) continue;
      const auto place = write_.table.resource.field_place(
          write_.table.resource.foreign_keys[f].parent_fields[k]);
      const auto parent = place ? row.new_value(*place) : std::nullopt;
      itself += (k == 0 ? "coalesce(" : " AND coalesce(") + typed + " = " +
                parent.value_or("NULL") + ", false)";
    }
    if (!known) continue;
    std::string sql = "SELECT 1";
    if (row.has_own()) sql += " FROM " + row.own();
    sql += " WHERE " + terms;
    if (key.to_itself) sql += " AND NOT (" + itself + ")";
    sql += " AND NOT EXISTS (SELECT 1 FROM " + key.parent_sql_name + " AS parent WHERE " +
           matches + ")";
    TALLY_TRY_ASSIGN(const auto orphan, connection_.execute_params(sql, row.params));
    if (orphan.rows() > 0) return std::optional(missing_parent_error(write_, f));
  }
  return std::optional<RecordError>();
}

Result<std::optional<RecordError>> PostgresClassifier::find_child(PostgresAction action,
                                                                  std::size_t i) {
  if (action == PostgresAction::kInsert || is_out_of_sight(action)) {
    return std::optional<RecordError>();
  }
  for (const PostgresReference& reference : write_.table.references) {
    const PostgresFollow follow =
        action == PostgresAction::kDelete ? reference.on_delete : reference.on_update;
    if (follow != PostgresFollow::kNoAction && follow != PostgresFollow::kRestrict) {
      continue;
    }
    if (write_.table.hidden.contains(reference.child_sql_name)) continue;
    Row row(write_, window_, action, i);
    std::string terms;
    for (std::size_t k = 0; k < reference.fields.size(); ++k) {
      terms += (k == 0 ? "t." : " AND t.") +
               write_.table.columns[reference.fields[k]].sql_name + " = child." +
               reference.child_sql_columns[k];
    }
    TALLY_TRY_ASSIGN(const auto found,
                     connection_.execute_params(
                         "SELECT 1 FROM " + row.own() + ", " + reference.child_sql_name +
                             " AS child WHERE " + terms + " LIMIT 1",
                         row.params));
    if (found.rows() == 0) continue;
    return std::optional(RecordError{
        kForeignKeyViolation, write_.field_names(reference.fields),
        "rows of table " + reference.child_sql_name + " still refer to this one by (" +
            join(reference.child_sql_columns, ", ") + ")"});
  }
  return std::optional<RecordError>();
}

Result<std::optional<RecordError>> PostgresClassifier::find_duplicate(
    PostgresAction action, std::size_t i) {
  if (is_out_of_sight(action)) return std::optional<RecordError>();
  for (std::size_t k = 0; k < write_.table.keys.size(); ++k) {
    if (!write_.table.keys[k].predicate.empty()) continue;  // Told by its name.
    Row row(write_, window_, action, i);
    std::string terms;
    bool known = true;
    for (const std::size_t place : write_.table.resource.keys[k].fields) {
      const auto value = row.new_value(place);
      const auto& rights = write_.table.rights;
      known = known && value.has_value() && (!rights || rights->select[place]);
      if (!known) break;
      terms += (terms.empty() ? "other." : " AND other.") +
               write_.table.columns[place].sql_name +
               (write_.table.keys[k].nulls_are_equal ? " IS NOT DISTINCT FROM " : " = ") +
               *value;
    }
    if (!known) continue;
    std::string from = write_.rows() + " AS other";
    if (row.has_own()) {
      from += ", " + row.own();
      terms += " AND (other.tableoid, other.ctid) <> (t.tallyman_table, t.tallyman_row)";
    }
    TALLY_TRY_ASSIGN(
        const auto found,
        connection_.execute_params(
            "SELECT 1 FROM " + from + " WHERE " + terms + " LIMIT 1", row.params));
    if (found.rows() > 0) return std::optional(duplicate_error(write_, k));
  }
  return std::optional<RecordError>();
}

}  // namespace tallyman
