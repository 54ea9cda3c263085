// PostgresJobRows: a pass over the rows of a job as the JobRows of an aggregate function,
// and how values in the wire form become values.
//
// Ownership: borrows the connection, on which nothing else may be asked of a cursor of
//            this name meanwhile. Threads: one.
// Memory:    a batch of rows, of about 1 MiB (of one row, where it is larger).
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/postgres.h"
#include "tallyman/job_rows.h"
#include "target/aggregate_accumulator.h"
#include "target/postgres_type.h"

namespace tallyman {

// A value in the wire form (of postgres_read_term()). A text points to `bytes`, or to
// `scratch` where it had to be made; a real (float4) is the double that its shortest
// decimal is.
RowValue read_row_value(PostgresWire wire, std::string_view bytes, std::string& scratch);

// The rows of a SELECT, one after the other.
class PostgresCursor {
 public:
  static Result<std::unique_ptr<PostgresCursor>> open(db::PostgresConnection& connection,
                                                      std::string_view select);
  ~PostgresCursor();
  PostgresCursor(const PostgresCursor&) = delete;
  PostgresCursor& operator=(const PostgresCursor&) = delete;

  Result<bool> next();

  // Of the row at hand; until the next next().
  bool is_null(int column) const { return batch_->is_null(row_, column); }
  std::string_view bytes(int column) const { return batch_->text(row_, column); }

 private:
  explicit PostgresCursor(db::PostgresConnection& connection) : connection_(connection) {}
  Result<void> fetch();

  db::PostgresConnection& connection_;
  std::optional<db::PostgresResult> batch_;
  int row_ = 0;
  int wanted_ = 64;  // Rows of the next batch.
  bool at_end_ = false;
};

class PostgresJobRows final : public JobRows {
 public:
  struct Field {
    std::string name;
    PostgresWire wire;
  };
  // `fields`: the cursor's columns.
  PostgresJobRows(std::unique_ptr<PostgresCursor> cursor, std::vector<Field> fields)
      : cursor_(std::move(cursor)), fields_(std::move(fields)) {}

  bool next() override;
  Value value(std::string_view field) const override;

  // Why the rows ended early, if they did.
  const std::optional<Error>& error() const { return error_; }

 private:
  const std::unique_ptr<PostgresCursor> cursor_;
  const std::vector<Field> fields_;
  bool at_row_ = false;
  mutable std::deque<std::string> texts_;  // Of the values given out for this row.
  std::optional<Error> error_;
};

}  // namespace tallyman
