// SqliteWindow: a window's records as bound values, and the binder that makes it.
//
//   SqliteWindow: window.values(i)[column], window.error(i)
//
// Ownership: keeps the bytes that its texts point to, and no cells.
// Threads:   a window is immutable once bound; a binder is used by one thread at a time.
// Memory:    16 bytes a cell; an allocation only for a failed record or a decoded blob.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/resource.h"
#include "target/binding_rules.h"
#include "target/sqlite_column_binder.h"
#include "target/sqlite_table.h"
#include "target/sqlite_value.h"
#include "target/target.h"
#include "target/write_plan.h"

namespace tallyman {

class SqliteWindow final : public BoundWindow {
 public:
  std::size_t size() const override { return failed_.size(); }
  std::size_t failed_binding() const override { return errors_.size(); }

  RecordNumber first_record() const { return first_record_; }
  std::int64_t record_number(std::size_t i) const {
    return first_record_.value() + static_cast<std::int64_t>(i);
  }
  // One for each column of the upload.
  std::span<const BoundValue> values(std::size_t i) const {
    return {values_.data() + i * columns_, columns_};
  }
  CellState state(std::size_t column, std::size_t i) const {
    const BoundKind kind = values_[i * columns_ + column].kind;
    return kind == BoundKind::kAbsent ? CellState::kAbsent
           : kind == BoundKind::kNull ? CellState::kNull
                                      : CellState::kValue;
  }
  // Some record lacks a field.
  bool has_absent() const { return has_absent_; }
  bool is_failed(std::size_t i) const { return failed_[i] != 0; }
  // Why the record could not be bound, or null.
  const RecordError* error(std::size_t i) const;

 private:
  friend class SqliteBinder;

  RecordNumber first_record_{1};
  std::size_t columns_ = 0;
  bool has_absent_ = false;
  std::vector<BoundValue> values_;  // size() * columns_, record by record.
  std::vector<std::uint8_t> failed_;
  std::vector<std::pair<std::uint32_t, RecordError>> errors_;  // Ascending.
  std::deque<std::string> arena_;
  std::vector<std::shared_ptr<const RecordText>> texts_;
};

// Checks, in this order, the first that fails being the record's error: what the reader
// found; field by field in the columns' order, may it be written, type, range, length,
// choices, pattern, validators; then what is required; then NULL.
class SqliteBinder {
 public:
  static Result<SqliteBinder> make(const Resource& resource, const SqliteTable& table,
                                   const WritePlan& plan);

  std::unique_ptr<SqliteWindow> bind(const Window& window) const;

 private:
  struct Column {
    std::size_t place;  // In the upload.
    SqliteColumnBinder binder;
  };

  SqliteBinder() = default;
  void bind_part(const WindowPart& part, std::size_t first, SqliteWindow& window) const;

  std::size_t columns_ = 0;
  std::vector<Column> bound_;
  BindingRules rules_;
};

}  // namespace tallyman
