// PostgresClassifier: what a refusal by PostgreSQL means for the record: one code, the
// first that applies of NOT NULL, CHECK, foreign keys (by name), unique keys (the primary
// first, then by name).
//
// PostgreSQL itself looks at unique keys in the order of their making and at foreign keys
// last, so these are asked for by query. Messages name fields, tables and constraints,
// and what a RAISE says; never a value.
//
// Threads: one.
// Errors:  of the queries; no record's fault.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "db/postgres.h"
#include "model/outcome.h"
#include "target/postgres_window.h"
#include "target/postgres_write.h"

namespace tallyman {

// What was asked of the database when it refused a record.
struct PostgresRefusal {
  PostgresAction action = PostgresAction::kInsert;
  db::PostgresFailure failure;
};

class PostgresClassifier {
 public:
  PostgresClassifier(db::PostgresConnection& connection, const PostgresWrite& write,
                     const PostgresWindow& window)
      : connection_(connection), write_(write), window_(window) {}

  // REQUIRES: what the record did is undone (a savepoint, rolled back to); the row that
  // it names is as it was.
  Result<RecordError> classify(const PostgresRefusal& refusal, std::size_t i);

 private:
  class Row;

  Result<RecordError> classify_unique(const PostgresRefusal& refusal, std::size_t i);
  Result<RecordError> classify_foreign_key(const PostgresRefusal& refusal, std::size_t i);
  Result<RecordError> classify_value(const PostgresRefusal& refusal, std::size_t i);
  bool is_out_of_sight(PostgresAction action) const;
  std::string fields_of_constraint(const db::PostgresFailure& failure) const;
  Result<std::optional<RecordError>> find_missing_parent(PostgresAction action,
                                                         std::size_t i);
  Result<std::optional<RecordError>> find_child(PostgresAction action, std::size_t i);
  Result<std::optional<RecordError>> find_duplicate(PostgresAction action, std::size_t i);

  db::PostgresConnection& connection_;
  const PostgresWrite& write_;
  const PostgresWindow& window_;
};

// The same words for a record that a set-based check has found.
RecordError missing_parent_error(const PostgresWrite& write, std::size_t foreign_key);
RecordError duplicate_error(const PostgresWrite& write, std::size_t key);
RecordError check_error(const std::string& constraint);

}  // namespace tallyman
