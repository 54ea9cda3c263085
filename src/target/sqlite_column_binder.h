// SqliteColumnBinder: the cells of one column as the values that SQLite will store.
//
//   BoundValue value;
//   RecordError error;
//   if (!binder.bind(cell, arena, value, error)) ... the record fails with `error`
//
// Decimals: SQLite keeps a number of a NUMERIC column as int64 or double. One is accepted
// where what is stored, read back and rounded to the declared scale (to 15 significant
// digits where none is declared), is the same decimal; else VALUE_OUT_OF_RANGE. Nothing
// is rounded. Types: a JSON text is read like a CSV cell, so "12.50" is a decimal; a JSON
// number or boolean for a text field is INVALID_TYPE. A JSON field takes JSON values as
// they are, and text that is JSON.
//
// Threads: bind() is const; any number at once, each with its own arena.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "model/outcome.h"
#include "model/record_batch.h"
#include "model/resource.h"
#include "target/field_checker.h"
#include "target/sqlite_type.h"
#include "target/sqlite_value.h"

namespace tallyman {

class SqliteColumnBinder {
 public:
  // `may_write`: false where a record that has the field fails (read-only, generated).
  static Result<SqliteColumnBinder> make(const Field& field, SqliteAffinity affinity,
                                         bool may_write);

  // `arena` keeps what had to be decoded; it must live as long as `into`.
  bool bind(const Cell& cell, std::deque<std::string>& arena, BoundValue& into,
            RecordError& error) const;

 private:
  SqliteColumnBinder(const Field& field, SqliteAffinity affinity, bool may_write,
                     FieldChecker checker);

  using Code = std::optional<RecordErrorCode>;  // Nothing: it is bound.
  Code bind_cell(const Cell& cell, std::deque<std::string>& arena,
                 BoundValue& into) const;
  Code bind_decimal(std::string_view text, BoundValue& into) const;
  Code bind_any(const Cell& cell, BoundValue& into) const;
  Code bind_json(const Cell& cell, BoundValue& into) const;
  // What NUMERIC affinity would make of text; nothing where it leaves it alone.
  std::optional<Code> bind_numeric_text(std::string_view text, BoundValue& into) const;
  std::optional<RecordError> check(const Cell& cell, const BoundValue& value) const;
  RecordError error(RecordErrorCode code) const;

  std::string name_;
  FieldType type_;
  SqliteAffinity affinity_;
  std::optional<int> precision_;
  std::optional<int> scale_;
  bool generated_;
  bool may_write_;
  FieldChecker checker_;
};

}  // namespace tallyman
