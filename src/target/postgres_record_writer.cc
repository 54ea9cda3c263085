#include "target/postgres_record_writer.h"

#include <algorithm>

#include "base/check.h"

namespace tallyman {
namespace {

// How often a record may find that another session has just written its key.
constexpr int kUpsertTries = 3;

std::string numbered(std::size_t number) { return "$" + std::to_string(number); }

// $1, $2 ... in the order of `columns`.
ValueName in_order(const std::vector<std::size_t>& columns) {
  return [&columns](std::size_t column) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i] == column) return numbered(i + 1);
    }
    CHECK(false);
  };
}

}  // namespace

PostgresRecordWriter::PostgresRecordWriter(db::PostgresConnection& connection,
                                           const PostgresWrite& write,
                                           const PostgresWindow& window)
    : connection_(connection),
      write_(write),
      window_(window),
      classifier_(connection, write, window) {
  std::string terms;
  for (std::size_t k = 0; k < write.id_fields.size(); ++k) {
    const PostgresColumn& column = write.table.columns[write.id_fields[k]];
    terms += (k == 0 ? "t." : " AND t.") + column.sql_name + " = " + numbered(k + 1) +
             (column.type.needs_cast() ? "::" + column.type.name : "");
  }
  if (!terms.empty()) {
    look_ = "SELECT 1 FROM " + write.rows() + " AS t WHERE " + terms;
  }
}

Result<Outcome> PostgresRecordWriter::apply(std::size_t i) {
  for (int tries = 1;; ++tries) {
    refusal_.reset();
    TALLY_TRY(connection_.exec("SAVEPOINT tallyman_record"));
    TALLY_TRY_ASSIGN(Outcome outcome, change(i));
    if (outcome != Outcome::kFailed && !write_.table.triggers.empty()) {
      TALLY_TRY_ASSIGN(outcome, undone_by_trigger(outcome));
    }
    if (outcome != Outcome::kFailed) {
      TALLY_TRY(connection_.exec("RELEASE SAVEPOINT tallyman_record"));
      return outcome;
    }
    TALLY_TRY(connection_.exec(
        "ROLLBACK TO SAVEPOINT tallyman_record; RELEASE SAVEPOINT tallyman_record"));
    if (!refusal_) return outcome;
    // Another session wrote the key after we had looked for it: look again.
    const bool again =
        write_.plan.operation == Operation::kUpsert &&
        refusal_->action == PostgresAction::kInsert && refusal_->failure.is("23505") &&
        tries < kUpsertTries &&
        refusal_->failure.constraint == write_.table.resource.keys[*write_.plan.key].name;
    if (again) continue;
    TALLY_TRY_ASSIGN(error_, classifier_.classify(*refusal_, i));
    return outcome;
  }
}

Result<Outcome> PostgresRecordWriter::change(std::size_t i) {
  switch (write_.plan.operation) {
    case Operation::kInsert: return insert(statements_for(i), i);
    case Operation::kUpsert:
    case Operation::kUpdate:
    case Operation::kReplace: return upsert_or_update(statements_for(i), i);
    case Operation::kDelete: return remove(i);
  }
  CHECK(false);
}

// --- Statements -----------------------------------------------------------------------

const PostgresRecordWriter::Statements& PostgresRecordWriter::statements_for(
    std::size_t i) {
  shape_name_.clear();
  append_shape_name(window_, i, shape_name_);
  const auto [found, is_new] = statements_.try_emplace(shape_name_);
  if (is_new) prepare(i, found->second);
  return found->second;
}

void PostgresRecordWriter::prepare(std::size_t i, Statements& statements) const {
  statements.shape = shape_of(write_, window_, i);
  const PostgresShape& shape = statements.shape;
  const std::string& table = write_.table.sql_name;
  std::string values;
  for (const std::size_t column : shape.sent) {
    values += (values.empty() ? "" : ", ") +
              write_.assigned(column, in_order(shape.sent)(column));
  }
  statements.insert =
      "INSERT INTO " + table + " AS t " +
      (values.empty() ? "DEFAULT VALUES"
                      : "(" + write_.names(shape.sent) + ") VALUES (" + values + ")") +
      " RETURNING " + write_.ids();
  if (!write_.plan.key) return;

  statements.found_by = shape.written_and_key(write_.plan);
  const ValueName value = in_order(statements.found_by);
  const std::string where = " WHERE " + write_.has_key(value);
  statements.find = "SELECT " + sameness_of(write_, shape, value) + ", " + write_.ids() +
                    " FROM " + write_.rows() + " AS t" + where + " FOR UPDATE";
  statements.update = "UPDATE " + write_.rows() + " AS t SET " +
                      assignments_of(write_, shape, value) + where + " RETURNING " +
                      write_.ids();
}

Result<std::optional<db::PostgresResult>> PostgresRecordWriter::ask(
    PostgresAction action, const std::string& sql,
    const std::vector<std::size_t>& columns, std::size_t i) {
  db::PostgresParams params;
  for (const std::size_t column : columns) {
    if (window_.state(column, i) == CellState::kValue) {
      params.add_view(write_.type(column).wire_oid, window_.wire(column, i));
    } else {
      params.add_null_of(write_.type(column).wire_oid);
    }
  }
  auto answer = connection_.execute_params(sql, params, true);
  if (answer.ok()) return std::optional(std::move(answer).value());
  if (db::is_passing(connection_.failure())) return std::move(answer).error();
  refusal_ = PostgresRefusal{action, connection_.failure()};
  return std::optional<db::PostgresResult>();
}

// --- Operations -----------------------------------------------------------------------

Result<Outcome> PostgresRecordWriter::insert(const Statements& statements,
                                             std::size_t i) {
  if (statements.shape.missing) {
    return fail(RecordErrorCode::kRequiredFieldMissing, statements.shape.missing->name,
                "is required in a new row");
  }
  TALLY_TRY_ASSIGN(const auto row, ask(PostgresAction::kInsert, statements.insert,
                                       statements.shape.sent, i));
  if (!row) return Outcome::kFailed;
  if (row->rows() == 0) return not_applied();
  take_id(*row);
  return Outcome::kCreated;
}

Result<Outcome> PostgresRecordWriter::upsert_or_update(const Statements& statements,
                                                       std::size_t i) {
  const bool upsert = write_.plan.operation == Operation::kUpsert;
  if (upsert && has_null_key(i)) return insert(statements, i);

  const std::vector<std::size_t>& columns = statements.found_by;
  TALLY_TRY_ASSIGN(const auto found,
                   ask(PostgresAction::kUpdate, statements.find, columns, i));
  if (!found) return Outcome::kFailed;
  if (found->rows() == 0) {
    if (upsert) return insert(statements, i);
    return fail(RecordErrorCode::kNotFound, write_.key_names(), "no row has this key");
  }
  take_id(*found);
  if (found->text(0, 0) == std::string_view("\1")) return Outcome::kUnchanged;
  TALLY_TRY_ASSIGN(const auto updated,
                   ask(PostgresAction::kUpdate, statements.update, columns, i));
  if (!updated) return Outcome::kFailed;
  if (updated->rows() == 0) return not_applied();
  take_id(*updated);
  return Outcome::kUpdated;
}

Result<Outcome> PostgresRecordWriter::remove(std::size_t i) {
  const std::vector<std::size_t>& key = write_.plan.key_columns;
  const std::string from = write_.rows() + " AS t WHERE " + write_.has_key(in_order(key));
  TALLY_TRY_ASSIGN(const auto removed,
                   ask(PostgresAction::kDelete,
                       "DELETE FROM " + from + " RETURNING " + write_.ids(), key, i));
  if (!removed) return Outcome::kFailed;
  if (removed->rows() > 0) {
    take_id(*removed);
    return Outcome::kDeleted;
  }
  TALLY_TRY_ASSIGN(const auto there,
                   ask(PostgresAction::kDelete, "SELECT 1 FROM " + from, key, i));
  if (!there) return Outcome::kFailed;
  if (there->rows() > 0) return not_applied();
  return fail(RecordErrorCode::kNotFound, write_.key_names(), "no row has this key");
}

// A trigger may take away what was written, or put back what was deleted.
Result<Outcome> PostgresRecordWriter::undone_by_trigger(Outcome outcome) {
  if (look_.empty() || outcome == Outcome::kUnchanged) return outcome;
  db::PostgresParams params;
  for (std::size_t k = 0; k < id_.size(); ++k) {
    params.add_view(write_.table.columns[write_.id_fields[k]].type.wire_oid, id_[k]);
  }
  TALLY_TRY_ASSIGN(const auto there, connection_.execute_params(look_, params));
  if ((there.rows() > 0) == (outcome != Outcome::kDeleted)) return outcome;
  return not_applied();
}

// The last columns of the row are the primary key's.
void PostgresRecordWriter::take_id(const db::PostgresResult& row) {
  id_.clear();
  const int count = static_cast<int>(write_.id_fields.size());
  for (int k = row.columns() - count; k < row.columns(); ++k) {
    id_.emplace_back(row.text(0, k));
  }
}

bool PostgresRecordWriter::has_null_key(std::size_t i) const {
  if (write_.table.keys[*write_.plan.key].nulls_are_equal) return false;
  for (const std::size_t column : write_.plan.key_columns) {
    if (window_.state(column, i) == CellState::kNull) return true;
  }
  return false;
}

Outcome PostgresRecordWriter::fail(RecordErrorCode code, std::string field,
                                   std::string message) {
  error_ = {code, std::move(field), std::move(message)};
  return Outcome::kFailed;
}

Outcome PostgresRecordWriter::not_applied() {
  return fail(RecordErrorCode::kNotApplied, {},
              "a trigger of the table did not let the record through");
}

}  // namespace tallyman
