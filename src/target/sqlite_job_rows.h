// SqliteJobRows: a pass over the rows of a job as the JobRows of an aggregate function,
// and how stored values become values.
//
// Ownership: owns its pass. Threads: one.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tallyman/job_rows.h"
#include "target/aggregate_accumulator.h"
#include "target/sqlite_named_rows.h"

namespace tallyman {

// A column of the row at hand as a value of the field. Text is good until the next row.
RowValue read_row_value(const db::SqliteStatement& row, int place, const Field& field);

class SqliteJobRows final : public JobRows {
 public:
  // `fields`: of the pass, in its order.
  SqliteJobRows(std::unique_ptr<SqliteNamedRows::Pass> pass, std::vector<Field> fields)
      : pass_(std::move(pass)), fields_(std::move(fields)) {}

  bool next() override;
  Value value(std::string_view field) const override;

  // Why the rows ended early, if they did.
  const std::optional<Error>& error() const { return error_; }

 private:
  const std::unique_ptr<SqliteNamedRows::Pass> pass_;
  const std::vector<Field> fields_;
  bool at_row_ = false;
  mutable std::deque<std::string> texts_;  // Of the values given out for this row.
  std::optional<Error> error_;
};

}  // namespace tallyman
