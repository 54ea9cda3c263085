// PostgresWindow: records of a window, column by column in PostgreSQL's wire form, and
// the binder that makes it.
//
//   const auto window = binder.bind(upload, {.slices = 8, .by_key = true});
//   for (const std::uint32_t i : window->slice(3)) {      // records, in file order
//     if (window->error(i)) continue;
//     window->append_fields(columns, i, row);            // COPY BINARY
//   }
//
// It may hold some of a window's slices alone. Records are counted by their place here
// (0, 1 ... size() - 1, in file order); place() and record_number() say which they are.
//
// Ownership: owns its bytes; keeps nothing of the upload.
// Threads:   a window is immutable once bound; a binder is const: any number at once.
// Memory:    the wire bytes and 4 bytes a cell, 9 to 13 bytes a record; no allocation a
//            cell.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/result.h"
#include "model/resource.h"
#include "target/binding_rules.h"
#include "target/postgres_column_binder.h"
#include "target/postgres_table.h"
#include "target/target.h"
#include "target/write_plan.h"

namespace tallyman {

// How a window's records are divided.
struct PostgresSlicing {
  std::uint32_t slices = 1;
  // By the key (the plan's duplicate key, which is the key where the operation has one):
  // records with one key are in one slice.
  //
  // Keys that end with numbers which follow each other are in one slice for some thousand
  // numbers, then in another, all slices in turn.
  //
  // A record whose key is NULL, absent or cannot be bound: by its place. REQUIRES of the
  // plan: a duplicate key. Else contiguous parts of (nearly) the same size.
  bool by_key = false;
  // And of kSliceTurns slices that stand side by side each has its share of neighbouring
  // keys, in turn, and so of the rows of a page; slices of another lane have other pages.
  // REQUIRES: by the key, in a multiple of kSliceTurns slices.
  bool in_turns = false;
  // These slices alone; empty: all.
  std::vector<std::uint32_t> wanted;
};

// The cells of one column.
class PostgresCells {
 public:
  std::size_t size() const { return ends_.size(); }
  CellState state(std::size_t i) const {
    const std::uint32_t marks = ends_[i] & ~kOffset;
    return marks == 0       ? CellState::kValue
           : marks == kNull ? CellState::kNull
                            : CellState::kAbsent;
  }
  // Empty for NULL and absent.
  std::string_view wire(std::size_t i) const {
    const std::uint32_t begin = i == 0 ? 0 : ends_[i - 1] & kOffset;
    return {bytes_.data() + begin, (ends_[i] & kOffset) - begin};
  }

  // One after the other: append the value to bytes(), then say what it was.
  void reserve(std::size_t records) { ends_.reserve(records); }
  std::string& bytes() { return bytes_; }
  void end(CellState state) {
    CHECK(bytes_.size() <= kOffset);
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()) |
                    (state == CellState::kValue  ? 0
                     : state == CellState::kNull ? kNull
                                                 : kAbsent));
  }
  void add(std::string_view wire) {
    bytes_ += wire;
    end(CellState::kValue);
  }
  std::size_t memory_bytes() const {
    return bytes_.capacity() + ends_.capacity() * sizeof(std::uint32_t);
  }

 private:
  static constexpr std::uint32_t kNull = 1U << 30;
  static constexpr std::uint32_t kAbsent = 1U << 31;
  static constexpr std::uint32_t kOffset = kNull - 1;

  std::string bytes_;
  std::vector<std::uint32_t> ends_;  // Each with a mark where it is no value.
};

// Of a column of the primary key that records do not bring: values that the database has
// made for them (target/postgres_drawn_ids.h).
struct DrawnIds {
  std::size_t place;  // The column's, in the table's fields.
  PostgresCells wires;
};

class PostgresWindow final : public BoundWindow {
 public:
  std::size_t size() const override { return failed_.size(); }
  std::size_t failed_binding() const override { return errors_.size(); }

  // Of the whole window.
  WindowNumber number() const { return number_; }
  RecordNumber first_record() const { return first_record_; }
  std::size_t window_records() const { return window_records_; }

  // The record's distance from first_record().
  std::uint32_t place(std::size_t i) const {
    return places_.empty() ? static_cast<std::uint32_t>(i) : places_[i];
  }
  std::int64_t record_number(std::size_t i) const {
    return first_record_.value() + place(i);
  }

  // The records of a slice, ascending. REQUIRES: it was wanted.
  std::span<const std::uint32_t> slice(std::uint32_t slice) const {
    return {by_slice_.data() + slice_begins_[slice],
            slice_begins_[slice + 1] - slice_begins_[slice]};
  }
  std::uint32_t slices() const {
    return static_cast<std::uint32_t>(slice_begins_.size()) - 1;
  }

  // Columns of the upload. One that is not bound (WritePlan::bound) is absent everywhere,
  // and so is what could not be bound and all after it in a record that failed.
  std::size_t columns() const { return columns_.size(); }
  CellState state(std::size_t column, std::size_t i) const {
    const PostgresCells& cells = columns_[column];
    return cells.size() == 0 ? CellState::kAbsent : cells.state(i);
  }
  // The wire form; empty for NULL and absent. Lives as long as the window.
  std::string_view wire(std::size_t column, std::size_t i) const {
    const PostgresCells& cells = columns_[column];
    return cells.size() == 0 ? std::string_view() : cells.wire(i);
  }
  // As fields of a COPY BINARY row, or elements of binary arrays: each its length and
  // bytes; NULL also for absent.
  void append_fields(std::span<const std::size_t> columns, std::size_t i,
                     std::string& into) const;

  // Some record that did not fail lacks a field.
  bool has_absent() const { return has_absent_; }
  bool is_failed(std::size_t i) const { return failed_[i] != 0; }
  // Why the record could not be bound, or null.
  const RecordError* error(std::size_t i) const;
  // By place here. Empty: none were drawn.
  const std::vector<DrawnIds>& ids() const { return ids_; }
  void keep_ids(std::vector<DrawnIds> ids) { ids_ = std::move(ids); }
  // Of cells and records, about.
  std::size_t memory_bytes() const;

 private:
  friend class PostgresBinder;

  void fail(std::size_t i, const RecordError& error) {
    failed_[i] = 1;
    errors_.emplace_back(static_cast<std::uint32_t>(i), error);
  }

  WindowNumber number_{0};
  RecordNumber first_record_{1};
  std::size_t window_records_ = 0;
  bool has_absent_ = false;
  std::vector<PostgresCells> columns_;
  std::vector<DrawnIds> ids_;
  std::vector<std::uint32_t> places_;  // Empty: 0, 1, 2 ...
  std::vector<std::uint32_t> by_slice_;
  std::vector<std::uint32_t> slice_begins_;  // In by_slice_; one more than slices.
  std::vector<std::uint8_t> failed_;
  std::vector<std::pair<std::uint32_t, RecordError>> errors_;  // Ascending.
};

// Checks, in this order, the first that fails being the record's error: what the reader
// found; field by field in the columns' order, may it be written, type, range, length,
// choices, pattern, validators; then what is required; then NULL.
class PostgresBinder {
 public:
  // `resource` may show fewer fields than the table has.
  static Result<PostgresBinder> make(const Resource& resource, const PostgresTable& table,
                                     const WritePlan& plan);

  std::unique_ptr<PostgresWindow> bind(Window window,
                                       const PostgresSlicing& slicing = {}) const;

 private:
  struct Column {
    std::size_t place;  // In the upload.
    PostgresColumnBinder binder;
  };

  PostgresBinder() = default;
  std::uint32_t slice_by_key(std::span<const Cell> record, std::uint32_t place,
                             const PostgresSlicing& slicing, std::string& scratch) const;
  // Of each of the window's records, its slice.
  std::vector<std::uint32_t> slice_all(const Window& window,
                                       const PostgresSlicing& slicing) const;
  static void take(const PostgresSlicing& slicing, std::span<const std::uint32_t> slices,
                   PostgresWindow& into);
  // `begin`: the place of the part's first record; `first`: where the first that is taken
  // stands here. Returns where the next part's stands.
  std::size_t bind_part(const WindowPart& part, std::size_t begin, std::size_t first,
                        PostgresWindow& window) const;

  std::size_t columns_ = 0;
  std::vector<Column> bound_;
  std::vector<std::size_t> key_;  // Places in bound_ of the duplicate key's columns.
  BindingRules rules_;
};

}  // namespace tallyman
