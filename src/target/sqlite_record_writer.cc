#include "target/sqlite_record_writer.h"

#include <sqlite3.h>

#include <algorithm>
#include <deque>

#include "target/sqlite_row_id.h"
#include "target/sqlite_sql.h"

namespace tallyman {
namespace {

using db::SqliteConnection;
using db::SqliteStatement;

// True where another record might well succeed: the rest is the database's trouble.
bool is_about_the_record(int code) {
  switch (code & 0xFF) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_ERROR: return true;
    default: return false;
  }
}

void bind_copy(SqliteStatement& statement, int place, const BoundValue& value) {
  if (value.kind == BoundKind::kText) {
    statement.bind_text_copy(place, value.text());
  } else if (value.kind == BoundKind::kBlob) {
    statement.bind_blob_copy(
        place, {reinterpret_cast<const std::uint8_t*>(value.data), value.size});
  } else {
    bind_value(statement, place, value);
  }
}

}  // namespace

SqliteRecordWriter::SqliteRecordWriter(SqliteConnection& connection,
                                       const SqliteWrite& write,
                                       const SqliteWindow& window, Options options)
    : connection_(connection),
      write_(write),
      window_(window),
      options_(options),
      id_fields_(write.id_fields()),
      ids_begin_(write.table.rowid_name.empty() ? 0 : 1),
      compared_begin_(ids_begin_ + static_cast<int>(id_fields_.size())),
      null_rowid_differs_([&] {
        if (write.plan.operation != Operation::kUpsert || !write.table.rowid_column) {
          return false;
        }
        const auto column = write.column_of(*write.table.rowid_column);
        return column && write.plan.written_on_match[*column];
      }()) {}

Result<Outcome> SqliteRecordWriter::apply(std::size_t i) {
  const std::span<const BoundValue> values = window_.values(i);
  refusal_.reset();
  switch (write_.plan.operation) {
    case Operation::kInsert: return insert(statements_for(values), values);
    case Operation::kUpsert:
    case Operation::kUpdate:
    case Operation::kReplace: {
      Statements& statements = statements_for(values);
      if (options_.direct && !last_was_unchanged_) {
        TALLY_TRY_ASSIGN(const auto outcome, update_directly(statements, values));
        if (outcome) return *outcome;
      }
      return change(statements, values);
    }
    case Operation::kDelete:
      if (options_.direct) return remove_directly(values);
      return remove(statements_for(values), values);
  }
  CHECK(false);
}

// --- Statements -----------------------------------------------------------------------

bool SqliteRecordWriter::is_sent(std::span<const BoundValue> values,
                                 std::size_t column) const {
  return write_.plan.bound[column] && values[column].kind != BoundKind::kAbsent;
}

SqliteRecordWriter::Statements& SqliteRecordWriter::statements_for(
    std::span<const BoundValue> values) {
  if (last_ && !window_.has_absent() && !null_rowid_differs_) return *last_;
  signature_.clear();
  for (std::size_t column = 0; column < values.size(); ++column) {
    const bool sent = is_sent(values, column);
    const bool null_rowid = null_rowid_differs_ &&
                            values[column].kind == BoundKind::kNull &&
                            write_.places[column] == *write_.table.rowid_column;
    signature_ += null_rowid ? 'n' : sent ? '1' : '0';
  }
  if (last_ && signature_ == last_signature_) return *last_;

  const auto found = sets_.find(signature_);
  if (found != sets_.end()) {
    last_ = found->second.get();
  } else {
    if (sets_.size() >= kStatementSetsMax) sets_.clear();
    auto& made = sets_[signature_];
    made = std::make_unique<Statements>();
    describe(values, *made);
    last_ = made.get();
  }
  last_signature_ = signature_;
  return *last_;
}

void SqliteRecordWriter::describe(std::span<const BoundValue> values,
                                  Statements& statements) const {
  std::vector<bool> there(write_.table.resource.fields.size());
  for (std::size_t column = 0; column < values.size(); ++column) {
    if (!is_sent(values, column)) continue;
    const std::size_t place = write_.places[column];
    there[place] = true;
    statements.inserted.push_back(column);
    const bool made_up = null_rowid_differs_ && place == *write_.table.rowid_column &&
                         values[column].kind == BoundKind::kNull;
    if (write_.plan.written_on_match[column] && !made_up)
      statements.written.push_back(column);
  }
  for (const std::size_t place : write_.replaceable) {
    if (!there[place]) statements.defaults.push_back(place);
  }
  for (std::size_t place = 0; place < there.size(); ++place) {
    const Field& field = write_.table.resource.fields[place];
    if (!there[place] && field.required() && !statements.missing)
      statements.missing = &field;
  }
  statements.returning = std::any_of(id_fields_.begin(), id_fields_.end(),
                                     [&](std::size_t field) { return !there[field]; });
}

Result<void> SqliteRecordWriter::prepare(std::optional<SqliteStatement>& statement,
                                         const std::string& sql) {
  auto prepared = connection_.prepare(sql);
  if (!prepared.ok()) return std::move(prepared).error().with_context("table definition");
  statement.emplace(std::move(prepared).value());
  return {};
}

Result<SqliteRecordWriter::Step> SqliteRecordWriter::step(SqliteStatement& statement,
                                                          SqliteRefusal::Statement kind) {
  const int code = statement.step_code();
  if (code == SQLITE_ROW) return Step::kRow;
  if (code == SQLITE_DONE) {
    statement.reset();
    return Step::kDone;
  }
  if (!is_about_the_record(code)) {
    statement.reset();
    return db::sqlite_error(code);
  }
  refusal_ = SqliteRefusal{kind, code, std::string(connection_.error_text())};
  statement.reset();
  return Step::kRefused;
}

// --- Insert ---------------------------------------------------------------------------

Result<Outcome> SqliteRecordWriter::insert(Statements& statements,
                                           std::span<const BoundValue> values) {
  if (statements.missing) {
    return fail(RecordErrorCode::kRequiredFieldMissing, statements.missing->name,
                "is required in a new row");
  }
  if (!statements.insert) {
    TALLY_TRY(prepare(statements.insert,
                      write_.insert(statements.inserted, statements.returning)));
  }
  int place = 0;
  for (const std::size_t column : statements.inserted) {
    bind_value(*statements.insert, ++place, values[column]);
  }
  constexpr auto kKind = SqliteRefusal::Statement::kInsert;
  TALLY_TRY_ASSIGN(Step stepped, step(*statements.insert, kKind));
  if (stepped == Step::kRow) {
    key_.clear();
    for (int i = 0; i < static_cast<int>(id_fields_.size()); ++i) {
      key_.push_back(stored_value(*statements.insert, i));
    }
    take_id(key_);
    TALLY_TRY_ASSIGN(stepped,
                     step(*statements.insert, kKind));  // Foreign keys come last.
  } else if (stepped == Step::kDone && !statements.returning) {
    take_id_of_insert(values);
  }
  if (stepped == Step::kRefused) return Outcome::kFailed;
  rowid_ = connection_.last_insert_rowid();
  return connection_.changes() == 0 ? not_applied() : Outcome::kCreated;
}

void SqliteRecordWriter::take_id_of_insert(std::span<const BoundValue> values) {
  if (write_.table.row_id_kind == RowIdKind::kNone) return;
  if (id_fields_.empty()) {
    id_integer_ = connection_.last_insert_rowid();
    return;
  }
  key_.clear();
  for (const std::size_t field : id_fields_) {
    key_.push_back(values[write_.column_of(field).value()]);
  }
  take_id(key_);
}

void SqliteRecordWriter::take_id(std::span<const BoundValue> key) {
  if (write_.table.row_id_kind == RowIdKind::kInteger) {
    // Another program may have stored something else; such a row has no id.
    id_integer_ = key.front().kind == BoundKind::kInteger ? key.front().integer : 0;
  } else if (write_.table.row_id_kind == RowIdKind::kText) {
    id_text_.clear();
    append_row_id(write_.table, key, id_text_);
  }
}

// --- Upsert, update, replace ----------------------------------------------------------

Result<Outcome> SqliteRecordWriter::change(Statements& statements,
                                           std::span<const BoundValue> values) {
  const std::vector<std::size_t>& key = write_.plan.key_columns;
  const bool upsert = write_.plan.operation == Operation::kUpsert;
  const bool null_key = std::any_of(key.begin(), key.end(), [&](std::size_t column) {
    return values[column].kind == BoundKind::kNull;
  });
  if (upsert && null_key) return insert(statements, values);

  if (!statements.find) {
    TALLY_TRY(
        prepare(statements.find, write_.find(statements.written, statements.defaults)));
  }
  SqliteStatement& find = *statements.find;
  int place = 0;
  for (const std::size_t column : key) bind_value(find, ++place, values[column]);
  TALLY_TRY_ASSIGN(const bool found, find.step());
  if (!found) {
    find.reset();
    if (upsert) return insert(statements, values);
    return fail(RecordErrorCode::kNotFound, write_.key_names(), "no row has this key");
  }
  return update(statements, values);
}

bool SqliteRecordWriter::is_same(const Statements& statements,
                                 std::span<const BoundValue> values) const {
  int place = compared_begin_;
  for (const std::size_t column : statements.written) {
    if (!is_same_image(*statements.find, place++, values[column])) return false;
  }
  for (std::size_t i = 0; i < statements.defaults.size(); ++i) {
    if (statements.find->integer(place++) == 0) return false;
  }
  return true;
}

// The row that was found is still at hand in `find`.
Result<Outcome> SqliteRecordWriter::update(Statements& statements,
                                           std::span<const BoundValue> values) {
  SqliteStatement& find = *statements.find;
  const bool same = is_same(statements, values);
  last_was_unchanged_ = same;
  take_id_of_match(statements, values, !same);
  if (same) {
    find.reset();
    return Outcome::kUnchanged;
  }
  if (!statements.update) {
    TALLY_TRY(prepare(statements.update,
                      write_.update(statements.written, statements.defaults)));
  }
  int place = 0;
  for (const std::size_t column : statements.written) {
    bind_value(*statements.update, ++place, values[column]);
  }
  bind_row(*statements.update, statements, place + 1, values);
  find.reset();
  TALLY_TRY_ASSIGN(const Step stepped,
                   step(*statements.update, SqliteRefusal::Statement::kUpdate));
  if (stepped == Step::kRefused) return Outcome::kFailed;
  return connection_.changes() == 0 ? not_applied() : Outcome::kUpdated;
}

// Where an image is the same, IS finds it the same: no row is written for nothing. Where
// IS finds more the same than that (1 and 1.0), change() looks and writes.
Result<std::optional<Outcome>> SqliteRecordWriter::update_directly(
    Statements& statements, std::span<const BoundValue> values) {
  if (statements.written.empty() || !statements.defaults.empty()) {
    return std::optional<Outcome>();
  }
  if (!statements.update_if_changed) {
    TALLY_TRY(prepare(statements.update_if_changed,
                      write_.update_if_changed(statements.written)));
  }
  SqliteStatement& update = *statements.update_if_changed;
  int place = 0;
  for (const std::size_t column : statements.written) {
    bind_value(update, ++place, values[column]);
  }
  const BoundValue& key = values[write_.plan.key_columns.front()];
  bind_value(update, ++place, key);
  TALLY_TRY_ASSIGN(const Step stepped, step(update, SqliteRefusal::Statement::kUpdate));
  if (stepped == Step::kRefused) return std::optional(Outcome::kFailed);
  if (connection_.changes() == 0) return std::optional<Outcome>();
  id_integer_ = key.integer;
  return std::optional(Outcome::kUpdated);
}

// Names the found row, from `place` on.
void SqliteRecordWriter::bind_row(SqliteStatement& statement,
                                  const Statements& statements, int place,
                                  std::span<const BoundValue> values) const {
  switch (write_.locator()) {
    case SqliteWrite::Locator::kRowid:
      statement.bind_integer(place, statements.find->integer(0));
      return;
    case SqliteWrite::Locator::kPrimaryKey:
      for (int i = 0; i < static_cast<int>(id_fields_.size()); ++i) {
        bind_copy(statement, place + i, stored_value(*statements.find, ids_begin_ + i));
      }
      return;
    case SqliteWrite::Locator::kJobKey:
      for (const std::size_t column : write_.plan.key_columns) {
        bind_value(statement, place++, values[column]);
      }
      return;
  }
}

void SqliteRecordWriter::take_id_of_match(const Statements& statements,
                                          std::span<const BoundValue> values,
                                          bool overlaid) {
  const auto written = [&](std::size_t field) -> const BoundValue* {
    if (!overlaid) return nullptr;
    for (const std::size_t column : statements.written) {
      if (write_.places[column] == field) return &values[column];
    }
    return nullptr;
  };
  if (!write_.table.rowid_name.empty()) rowid_ = statements.find->integer(0);
  if (write_.table.row_id_kind == RowIdKind::kNone) return;
  if (id_fields_.empty()) {
    const BoundValue* sent = written(*write_.table.rowid_column);
    if (sent) rowid_ = sent->integer;
    id_integer_ = rowid_;
    return;
  }
  key_.clear();
  for (std::size_t i = 0; i < id_fields_.size(); ++i) {
    const BoundValue* sent = written(id_fields_[i]);
    key_.push_back(
        sent ? *sent : stored_value(*statements.find, ids_begin_ + static_cast<int>(i)));
  }
  take_id(key_);
}

Result<bool> SqliteRecordWriter::row_is_there() {
  const bool by_rowid = !write_.table.rowid_name.empty();
  if (!by_rowid && write_.table.row_id_kind == RowIdKind::kNone) return true;
  if (!look_) TALLY_TRY(prepare(look_, write_.look()));
  std::deque<std::string> arena;
  if (by_rowid) {
    look_->bind_integer(1, rowid_);
  } else if (write_.table.row_id_kind == RowIdKind::kInteger) {
    look_->bind_integer(1, id_integer_);
  } else {
    const auto key = parse_row_id(write_.table, id_text_, arena);
    CHECK(key);
    int place = 0;
    for (const BoundValue& value : *key) bind_value(*look_, ++place, value);
  }
  auto found = look_->step();
  look_->reset();
  return found;
}

// --- Delete ---------------------------------------------------------------------------

Result<Outcome> SqliteRecordWriter::remove(Statements& statements,
                                           std::span<const BoundValue> values) {
  if (!statements.find) TALLY_TRY(prepare(statements.find, write_.find({}, {})));
  if (!remove_) TALLY_TRY(prepare(remove_, write_.remove()));
  int place = 0;
  for (const std::size_t column : write_.plan.key_columns) {
    bind_value(*statements.find, ++place, values[column]);
  }
  TALLY_TRY_ASSIGN(const bool found, statements.find->step());
  if (!found) {
    statements.find->reset();
    return fail(RecordErrorCode::kNotFound, write_.key_names(), "no row has this key");
  }
  take_id_of_match(statements, values, false);
  bind_row(*remove_, statements, 1, values);
  statements.find->reset();
  TALLY_TRY_ASSIGN(const Step stepped, step(*remove_, SqliteRefusal::Statement::kDelete));
  if (stepped == Step::kRefused) return Outcome::kFailed;
  return connection_.changes() == 0 ? not_applied() : Outcome::kDeleted;
}

Result<Outcome> SqliteRecordWriter::remove_directly(std::span<const BoundValue> values) {
  if (!remove_) TALLY_TRY(prepare(remove_, write_.remove()));
  const BoundValue& key = values[write_.plan.key_columns.front()];
  bind_value(*remove_, 1, key);
  TALLY_TRY_ASSIGN(const Step stepped, step(*remove_, SqliteRefusal::Statement::kDelete));
  if (stepped == Step::kRefused) return Outcome::kFailed;
  if (connection_.changes() == 0) {
    return fail(RecordErrorCode::kNotFound, write_.key_names(), "no row has this key");
  }
  id_integer_ = key.integer;
  return Outcome::kDeleted;
}

Outcome SqliteRecordWriter::fail(RecordErrorCode code, std::string field,
                                 std::string message) {
  error_ = {code, std::move(field), std::move(message)};
  return Outcome::kFailed;
}

Outcome SqliteRecordWriter::not_applied() {
  return fail(RecordErrorCode::kNotApplied, {},
              "a trigger of the table did not let the record through");
}

}  // namespace tallyman
