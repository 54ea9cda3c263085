// SqliteJobWriter: writes a job's windows into a SQLite table.
//
// The general path puts a savepoint around each record, so that a record that fails
// leaves nothing, whatever its triggers did before, and deferred foreign keys count at
// once.
//
// The fast path does without savepoints. It is the same where a statement that fails has
// done nothing and one that succeeds is final: no trigger fires, and no deferred foreign
// key watches, on the table or on any table that follows it by CASCADE, SET NULL or SET
// DEFAULT (SqliteTable::insert_is_simple, change_is_simple). A record is one statement
// then, and SQLite undoes a failed one whole. On this path a delete or update by the
// INTEGER PRIMARY KEY does not look the row up first: nothing can swallow it, so a row
// changed is a row found (SqliteRecordWriter::Options::direct).
//
// File order is kept on both: SQLite has one writer, and there is nothing to sort for.
//
// RAISE(ROLLBACK) in a trigger ends the whole transaction: write() is kLost, and the next
// try fails that record with the trigger's words without trying it.
//
// Threads: bind() in one, the rest in another.
// Errors:  kConflict  the table has changed since the job was planned
//          kLost      a trigger rolled everything back: call again in a new transaction
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/unit.h"
#include "target/sqlite_record_writer.h"
#include "target/sqlite_window.h"
#include "target/sqlite_write_sql.h"
#include "target/target.h"

namespace tallyman {

class SqliteJobWriter final : public JobWriter {
 public:
  // REQUIRES: the resource is the table's.
  static Result<std::unique_ptr<SqliteJobWriter>> make(const Resource& resource,
                                                       SqliteTable table,
                                                       const WriteSpec& spec);

  std::unique_ptr<BoundWindow> bind(Window window, const SliceSet& slices) override;
  // One slice, and no reason: SQLite has one writer.
  Slicing slicing() const override { return {}; }
  Result<UnitOutcomes> write(db::Transaction& transaction, const BoundWindow& window,
                             SliceNumber slice, const WriteOptions& options) override;
  Result<std::unique_ptr<KeyTable>> make_key_table(const std::string& path) override;

 private:
  SqliteJobWriter(SqliteWrite write, SqliteBinder binder, const WriteSpec& spec);

  class Unit;

  Result<void> check_schema(db::SqliteConnection& connection);

  const SqliteWrite write_;
  const SqliteBinder binder_;
  const OnDuplicate on_duplicate_;
  const bool savepoints_;
  const bool direct_;
  std::int64_t schema_version_;
  // Records whose triggers roll the transaction back, by number.
  std::map<std::int64_t, RecordError> doomed_;
};

}  // namespace tallyman
