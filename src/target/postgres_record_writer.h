// PostgresRecordWriter: the general path. Applies records of a window one at a time, each
// in a savepoint of its own, so that a record that fails leaves nothing, whatever its
// triggers did before.
//
//   PostgresRecordWriter records(connection, write, window);
//   TALLY_TRY_ASSIGN(const Outcome outcome, records.apply(i));
//   if (outcome == Outcome::kFailed) use(records.error());
//
// A keyed record's row is looked up first, so that a row that already is what was sent is
// not written and no trigger fires for it.
//
// REQUIRES: constraints are immediate (SET CONSTRAINTS ALL IMMEDIATE).
// Ownership: borrows everything; must die before the transaction ends.
// Threads:   one.
// Errors:    what is no record's fault: lost connections, locks, deadlocks.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "db/postgres.h"
#include "model/outcome.h"
#include "target/postgres_refusal.h"
#include "target/postgres_shape.h"
#include "target/postgres_window.h"
#include "target/postgres_write.h"

namespace tallyman {

class PostgresRecordWriter {
 public:
  PostgresRecordWriter(db::PostgresConnection& connection, const PostgresWrite& write,
                       const PostgresWindow& window);

  Result<Outcome> apply(std::size_t i);

  // After kFailed.
  const RecordError& error() const { return error_; }
  // After a success, of the row: the primary key's values in their wire form.
  const std::vector<std::string>& id() const { return id_; }

 private:
  // The statements for records of one shape.
  struct Statements {
    PostgresShape shape;
    std::vector<std::size_t> found_by;  // The columns of find and update.
    std::string insert;
    std::string find;
    std::string update;
  };

  const Statements& statements_for(std::size_t i);
  void prepare(std::size_t i, Statements& statements) const;

  Result<Outcome> change(std::size_t i);
  Result<Outcome> insert(const Statements& statements, std::size_t i);
  Result<Outcome> upsert_or_update(const Statements& statements, std::size_t i);
  Result<Outcome> remove(std::size_t i);
  Result<Outcome> undone_by_trigger(Outcome outcome);
  // The answer; nothing where the database refused the record (refusal_ says why).
  Result<std::optional<db::PostgresResult>> ask(PostgresAction action,
                                                const std::string& sql,
                                                const std::vector<std::size_t>& columns,
                                                std::size_t i);
  void take_id(const db::PostgresResult& row);
  bool has_null_key(std::size_t i) const;
  Outcome fail(RecordErrorCode code, std::string field, std::string message);
  Outcome not_applied();

  db::PostgresConnection& connection_;
  const PostgresWrite& write_;
  const PostgresWindow& window_;
  PostgresClassifier classifier_;
  std::unordered_map<std::string, Statements> statements_;  // By the shape's name.
  std::string shape_name_;
  std::string look_;
  std::optional<PostgresRefusal> refusal_;
  RecordError error_{};
  std::vector<std::string> id_;
};

}  // namespace tallyman
