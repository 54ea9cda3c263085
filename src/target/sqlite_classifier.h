// SqliteClassifier: what a refusal by SQLite means for the record: one code, the first
// that applies of NOT NULL, CHECK, foreign keys (by name), unique keys (the primary
// first, then by name).
//
// SQLite itself looks at foreign keys last and at unique keys in the order of its
// indexes, so these two are asked for by query. What no query explains (partial and
// expression indexes, constraints of other tables that a trigger ran into) is told by
// SQLite's words.
//
// Messages name fields, tables and constraints, never a value.
//
// Threads: one. Statements die with each call.
// Errors:  of the queries; no record's fault.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/sqlite.h"
#include "model/outcome.h"
#include "target/sqlite_record_writer.h"
#include "target/sqlite_write_sql.h"

namespace tallyman {

class SqliteClassifier {
 public:
  SqliteClassifier(db::SqliteConnection& connection, const SqliteWrite& write)
      : connection_(connection), write_(write) {}

  // REQUIRES: what the record did is undone; the row that it names is as it was.
  Result<RecordError> classify(const SqliteRefusal& refusal,
                               std::span<const BoundValue> values);

 private:
  struct Query;

  Result<RecordError> classify_unique(const SqliteRefusal& refusal,
                                      std::span<const BoundValue> values);
  Result<RecordError> classify_foreign_key(const SqliteRefusal& refusal,
                                           std::span<const BoundValue> values);
  Result<std::optional<RecordError>> find_missing_parent(
      const SqliteRefusal& refusal, std::span<const BoundValue> values);
  Result<std::optional<RecordError>> find_child(const SqliteRefusal& refusal,
                                                std::span<const BoundValue> values);
  Result<std::optional<RecordError>> find_duplicate(const SqliteRefusal& refusal,
                                                    std::span<const BoundValue> values);
  Result<bool> ask(const Query& query, const std::string& sql);
  std::string field_names(const std::vector<std::size_t>& fields) const;

  db::SqliteConnection& connection_;
  const SqliteWrite& write_;
};

}  // namespace tallyman
