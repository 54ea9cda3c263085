#include "target/sqlite_job_writer.h"

#include <sqlite3.h>

#include "db/sqlite_database.h"
#include "target/duplicate_rule.h"
#include "target/sqlite_classifier.h"
#include "target/sqlite_key_table.h"

namespace tallyman {
namespace {

using db::SqliteConnection;
using db::SqliteStatement;

bool is_simple(const SqliteTable& table, Operation operation) {
  return operation == Operation::kInsert ? table.insert_is_simple
                                         : table.change_is_simple;
}

// Do foreign keys stand broken that SQLite would look at only when it commits?
bool has_broken_foreign_keys(SqliteConnection& connection) {
  int current = 0;
  int highest = 0;
  CHECK(sqlite3_db_status(connection.handle(), SQLITE_DBSTATUS_DEFERRED_FKS, &current,
                          &highest, 0) == SQLITE_OK);
  return current != 0;
}

}  // namespace

// One write() of a window.
class SqliteJobWriter::Unit {
 public:
  Unit(SqliteJobWriter& writer, SqliteConnection& connection, const SqliteWindow& window,
       DuplicateRule duplicates)
      : writer_(writer),
        connection_(connection),
        window_(window),
        duplicates_(std::move(duplicates)),
        records_(connection, writer.write_, window, {.direct = writer.direct_}),
        classifier_(connection, writer.write_) {}

  Result<UnitOutcomes> write(const std::optional<std::uint64_t>& failures_max) {
    if (writer_.savepoints_) TALLY_TRY(prepare_savepoints());
    outcomes_.first_record = window_.first_record();
    outcomes_.ids.kind = writer_.write_.table.row_id_kind;
    outcomes_.outcomes.reserve(window_.size());
    if (outcomes_.ids.kind == RowIdKind::kInteger) {
      outcomes_.ids.integers.reserve(window_.size());
    }
    for (std::size_t i = 0; i < window_.size(); ++i) {
      TALLY_TRY_ASSIGN(const Outcome outcome, write_record(i));
      add(i, outcome);
      if (failures_max && outcomes_.errors.size() > *failures_max) break;
    }
    return std::move(outcomes_);
  }

 private:
  Result<void> prepare_savepoints() {
    TALLY_TRY_ASSIGN(auto begin, connection_.prepare("SAVEPOINT tallyman_record"));
    TALLY_TRY_ASSIGN(auto release, connection_.prepare("RELEASE tallyman_record"));
    TALLY_TRY_ASSIGN(auto undo, connection_.prepare("ROLLBACK TO tallyman_record"));
    begin_.emplace(std::move(begin));
    release_.emplace(std::move(release));
    undo_.emplace(std::move(undo));
    return {};
  }

  // kFailed: error_ says why.
  Result<Outcome> write_record(std::size_t i) {
    const std::int64_t number = window_.record_number(i);
    if (const RecordError* error = window_.error(i)) return fail(*error);
    if (const char* reason = duplicates_.reason(i, number)) {
      return fail({RecordErrorCode::kDuplicateInUpload,
                   duplicate_field_names(writer_.write_.plan, writer_.write_.resource),
                   reason});
    }
    if (!writer_.doomed_.empty()) {
      const auto doomed = writer_.doomed_.find(number);
      if (doomed != writer_.doomed_.end()) return fail(doomed->second);
    }
    TALLY_TRY_ASSIGN(const Outcome outcome,
                     begin_ ? write_in_savepoint(i) : write_plainly(i));
    if (outcome != Outcome::kFailed) duplicates_.applied(i);
    return outcome;
  }

  Result<Outcome> write_plainly(std::size_t i) {
    TALLY_TRY_ASSIGN(const Outcome outcome, records_.apply(i));
    if (outcome == Outcome::kFailed) TALLY_TRY(explain(i));
    return outcome;
  }

  Result<Outcome> write_in_savepoint(std::size_t i) {
    TALLY_TRY(begin_->run());
    TALLY_TRY_ASSIGN(Outcome outcome, records_.apply(i));
    if (connection_.autocommit()) return lost(i);
    if (outcome != Outcome::kFailed && writer_.write_.table.has_triggers) {
      TALLY_TRY_ASSIGN(outcome, undone_by_trigger(outcome));
    }
    std::optional<SqliteRefusal> broken;
    if (outcome != Outcome::kFailed && has_broken_foreign_keys(connection_)) {
      broken = SqliteRefusal{statement_of(outcome), SQLITE_CONSTRAINT_FOREIGNKEY, {}};
      outcome = Outcome::kFailed;
    }
    if (outcome == Outcome::kFailed) TALLY_TRY(undo_->run());
    TALLY_TRY(release_->run());
    if (broken) {
      TALLY_TRY_ASSIGN(error_, classifier_.classify(*broken, window_.values(i)));
    } else if (outcome == Outcome::kFailed) {
      TALLY_TRY(explain(i));
    }
    return outcome;
  }

  // A trigger may take away what was written, or put back what was deleted.
  Result<Outcome> undone_by_trigger(Outcome outcome) {
    TALLY_TRY_ASSIGN(const bool there, records_.row_is_there());
    if (there == (outcome != Outcome::kDeleted)) return outcome;
    return records_.not_applied();
  }

  static SqliteRefusal::Statement statement_of(Outcome outcome) {
    if (outcome == Outcome::kCreated) return SqliteRefusal::Statement::kInsert;
    if (outcome == Outcome::kDeleted) return SqliteRefusal::Statement::kDelete;
    return SqliteRefusal::Statement::kUpdate;
  }

  // Takes the reason of the record that has just failed.
  Result<void> explain(std::size_t i) {
    if (!records_.refusal()) {
      error_ = records_.error();
      return {};
    }
    TALLY_TRY_ASSIGN(error_,
                     classifier_.classify(*records_.refusal(), window_.values(i)));
    return {};
  }

  // A trigger has rolled the whole transaction back.
  Error lost(std::size_t i) {
    const std::string text =
        records_.refusal() ? records_.refusal()->text : std::string("it rolled back");
    writer_.doomed_.insert_or_assign(
        window_.record_number(i), RecordError{RecordErrorCode::kDatabaseError,
                                              {},
                                              "a trigger refused the record: " + text});
    return {ErrorCode::kLost,
            "record " + std::to_string(window_.record_number(i)) +
                ": a trigger rolled the transaction back; write the window again"};
  }

  Outcome fail(RecordError error) {
    error_ = std::move(error);
    return Outcome::kFailed;
  }

  void add(std::size_t i, Outcome outcome) {
    const bool success = outcome != Outcome::kFailed;
    outcomes_.outcomes.push_back(outcome);
    switch (outcomes_.ids.kind) {
      case RowIdKind::kNone: break;
      case RowIdKind::kInteger:
        outcomes_.ids.push(success ? records_.id_integer() : 0);
        break;
      case RowIdKind::kText:
        outcomes_.ids.push(success ? records_.id_text() : std::string_view());
        break;
    }
    if (!success) {
      outcomes_.errors.emplace_back(static_cast<std::uint32_t>(i), std::move(error_));
    }
  }

  SqliteJobWriter& writer_;
  SqliteConnection& connection_;
  const SqliteWindow& window_;
  DuplicateRule duplicates_;
  SqliteRecordWriter records_;
  SqliteClassifier classifier_;
  std::optional<SqliteStatement> begin_;
  std::optional<SqliteStatement> release_;
  std::optional<SqliteStatement> undo_;
  RecordError error_{};
  UnitOutcomes outcomes_;
};

SqliteJobWriter::SqliteJobWriter(SqliteWrite write, SqliteBinder binder,
                                 const WriteSpec& spec)
    : write_(std::move(write)),
      binder_(std::move(binder)),
      on_duplicate_(spec.on_duplicate),
      savepoints_(spec.general_path || !is_simple(write_.table, spec.operation)),
      direct_(!savepoints_ && spec.operation != Operation::kInsert &&
              spec.operation != Operation::kUpsert && write_.plan.key == 0 &&
              write_.table.rowid_column.has_value()),
      schema_version_(write_.table.schema_version) {}

Result<std::unique_ptr<SqliteJobWriter>> SqliteJobWriter::make(const Resource& resource,
                                                               SqliteTable table,
                                                               const WriteSpec& spec) {
  TALLY_TRY_ASSIGN(WritePlan plan, plan_write(resource, spec));
  TALLY_TRY_ASSIGN(SqliteBinder binder, SqliteBinder::make(resource, table, plan));
  SqliteWrite write(resource, std::move(table), std::move(plan));
  return std::unique_ptr<SqliteJobWriter>(
      new SqliteJobWriter(std::move(write), std::move(binder), spec));
}

std::unique_ptr<BoundWindow> SqliteJobWriter::bind(Window window,
                                                   const SliceSet& slices) {
  CHECK(slices.of == 1);
  return binder_.bind(window);
}

Result<UnitOutcomes> SqliteJobWriter::write(db::Transaction& transaction,
                                            const BoundWindow& window,
                                            SliceNumber /*slice*/,
                                            const WriteOptions& options) {
  const auto* bound = dynamic_cast<const SqliteWindow*>(&window);
  CHECK(bound);
  SqliteConnection& connection = db::sqlite(transaction);
  TALLY_TRY(check_schema(connection));
  TALLY_TRY_ASSIGN(auto duplicates,
                   DuplicateRule::make(on_duplicate_, options.keys, *bound));
  Unit unit(*this, connection, *bound, std::move(duplicates));
  return unit.write(options.failures_max);
}

Result<std::unique_ptr<KeyTable>> SqliteJobWriter::make_key_table(
    const std::string& path) {
  if (!write_.plan.duplicate_key) {
    return Error{ErrorCode::kInvalidArgument,
                 "table \"" + write_.table.resource.table +
                     "\": no unique key has all of its fields among the columns"};
  }
  std::vector<SqliteKeyColumn> key;
  const SqliteKey& collations = write_.table.keys[*write_.plan.duplicate_key];
  for (std::size_t i = 0; i < write_.plan.duplicate_columns.size(); ++i) {
    const std::size_t column = write_.plan.duplicate_columns[i];
    key.push_back({column, write_.table.affinities[write_.places[column]],
                   collations.collations[i]});
  }
  TALLY_TRY_ASSIGN(auto keys, SqliteKeyTable::make(path, std::move(key)));
  return std::unique_ptr<KeyTable>(std::move(keys));
}

Result<void> SqliteJobWriter::check_schema(SqliteConnection& connection) {
  TALLY_TRY_ASSIGN(const std::int64_t version, read_schema_version(connection));
  if (version == schema_version_) return {};
  const auto table = read_sqlite_table(connection, write_.table.resource.table);
  if (!table.ok() && table.error().code != ErrorCode::kNotFound &&
      table.error().code != ErrorCode::kInvalidArgument) {
    return table.error();
  }
  if (!table.ok() ||
      table.value().resource.schema_fingerprint != write_.resource.schema_fingerprint ||
      is_simple(table.value(), write_.plan.operation) !=
          is_simple(write_.table, write_.plan.operation)) {
    return Error{ErrorCode::kConflict,
                 "table \"" + write_.table.resource.table +
                     "\" was changed while the job ran; start a new job for the rest"};
  }
  schema_version_ = version;
  return {};
}

}  // namespace tallyman
