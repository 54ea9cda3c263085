// PostgresColumnBinder: the cells of one column in PostgreSQL's wire form.
//
//   RecordError error;
//   if (!binder.bind(cell, bytes, state, error)) ... the record fails with `error`
//
// What is accepted is what field_text.h says, on every database; nothing is rounded and
// nothing is cut: more digits after the point than the column has (of a number or of a
// second) is VALUE_OUT_OF_RANGE, unless they are zeros. Numbers go from their digits into
// the wire form, through no double. A time without an offset is UTC: an offset is
// applied, also where the column keeps none. No NaN, no infinity; zero has no sign. Text
// holds no U+0000; an enum's label must be one. What goes as text to be cast
// (PostgresWire::kCast) is text, a number or a boolean of JSON as it is written; an array
// or object of JSON is INVALID_TYPE.
//
// Threads: bind() is const: any number at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.h"
#include "model/record_batch.h"
#include "model/resource.h"
#include "target/binding_rules.h"
#include "target/field_checker.h"
#include "target/postgres_type.h"

namespace tallyman {

class PostgresColumnBinder {
 public:
  // `may_write`: false where a record that has the field fails (read-only, generated).
  static Result<PostgresColumnBinder> make(const Field& field, const PostgresType& type,
                                           bool may_write);

  PostgresWire wire() const { return wire_; }

  // Appends the wire form; where it is false `bytes` is as it was.
  bool bind(const Cell& cell, std::string& bytes, CellState& state,
            RecordError& error) const;

 private:
  PostgresColumnBinder(const Field& field, const PostgresType& type, bool may_write,
                       FieldChecker checker);

  using Code = std::optional<RecordErrorCode>;  // Nothing: it is bound.
  Code bind_value(const Cell& cell, std::string& bytes) const;
  Code bind_number_or_time(std::string_view text, std::string& bytes) const;
  Code bind_integer(std::string_view text, std::string& bytes) const;
  Code bind_json(const Cell& cell, std::string& bytes) const;
  std::optional<RecordError> check(const Cell& cell, std::string_view wire) const;
  RecordError error(RecordErrorCode code) const;
  std::string range_rule() const;

  std::string name_;
  FieldType field_type_;
  PostgresWire wire_;
  std::optional<int> precision_;
  std::optional<int> scale_;
  int second_digits_;
  std::vector<std::string> labels_;  // Sorted.
  std::string labels_rule_;
  bool generated_;
  bool may_write_;
  FieldChecker checker_;
};

}  // namespace tallyman
