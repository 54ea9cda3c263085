#include "target/sqlite_window.h"

#include <algorithm>

namespace tallyman {
namespace {

using enum RecordErrorCode;

void fail(std::vector<std::pair<std::uint32_t, RecordError>>& errors,
          std::vector<std::uint8_t>& failed, std::size_t i, const RecordError& error) {
  failed[i] = 1;
  errors.emplace_back(static_cast<std::uint32_t>(i), error);
}

// In the table of SQLite's view; the resource may show fewer fields.
std::size_t table_column(const SqliteTable& table, const Field& field) {
  return table.resource.field_place(field.name).value();
}

}  // namespace

const RecordError* SqliteWindow::error(std::size_t i) const {
  if (!failed_[i]) return nullptr;
  const auto found = std::lower_bound(
      errors_.begin(), errors_.end(), i,
      [](const auto& entry, std::size_t place) { return entry.first < place; });
  return &found->second;
}

Result<SqliteBinder> SqliteBinder::make(const Resource& resource,
                                        const SqliteTable& table, const WritePlan& plan) {
  SqliteBinder binder;
  binder.columns_ = plan.fields.size();
  const bool inserts =
      plan.operation == Operation::kInsert || plan.operation == Operation::kUpsert;
  binder.null_key_is_missing_ = plan.operation != Operation::kUpsert;
  const bool whole =
      plan.operation == Operation::kInsert || plan.operation == Operation::kReplace;

  for (std::size_t column = 0; column < plan.fields.size(); ++column) {
    if (!plan.bound[column]) continue;
    const Field& field = resource.fields[plan.fields[column]];
    const std::size_t place = table_column(table, field);
    const bool is_key = plan.is_key_column(column);
    const bool finds = is_key && plan.operation != Operation::kUpsert;
    TALLY_TRY_ASSIGN(auto column_binder,
                     SqliteColumnBinder::make(field, table.affinities[place],
                                              field.writable() || finds));
    binder.bound_.push_back({column, std::move(column_binder)});

    if (is_key) {
      binder.keys_.push_back({column,
                              {kRequiredFieldMissing, field.name,
                               "is part of the key; the record must have it"}});
    } else if (whole && field.required() && field.writable()) {
      binder.required_.push_back(
          {column, {kRequiredFieldMissing, field.name, "is required"}});
    }
    const bool null_makes_one = inserts && table.rowid_column == place;
    if (!field.nullable && !null_makes_one) {
      binder.not_null_.push_back(
          {column, {kNotNullViolation, field.name, "must not be NULL"}});
    }
  }
  return binder;
}

std::unique_ptr<SqliteWindow> SqliteBinder::bind(const Window& window) const {
  auto bound = std::make_unique<SqliteWindow>();
  bound->first_record_ = window.first_record;
  bound->columns_ = columns_;
  bound->values_.resize(window.record_count * columns_);
  bound->failed_.resize(window.record_count);
  std::size_t first = 0;
  for (const WindowPart& part : window.parts) {
    bind_part(part, first, *bound);
    bound->texts_.push_back(part.batch->text());
    first += part.end - part.begin;
  }
  CHECK(first == window.record_count);
  check_missing(*bound);
  check_nulls(*bound);
  std::sort(bound->errors_.begin(), bound->errors_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return bound;
}

void SqliteBinder::bind_part(const WindowPart& part, std::size_t first,
                             SqliteWindow& window) const {
  const RecordBatch& batch = *part.batch;
  const std::size_t count = part.end - part.begin;
  CHECK(batch.columns() == columns_ || count == 0);
  if (batch.has_faults()) {
    for (std::size_t i = 0; i < count; ++i) {
      const RecordError* fault = batch.fault(part.begin + i);
      if (fault) fail(window.errors_, window.failed_, first + i, *fault);
    }
  }

  RecordError error;
  for (const Column& column : bound_) {
    for (std::size_t i = 0; i < count; ++i) {
      if (window.failed_[first + i]) continue;
      const Cell& cell = batch.record(part.begin + i)[column.place];
      BoundValue& into = window.values_[(first + i) * columns_ + column.place];
      if (!column.binder.bind(cell, window.arena_, into, error)) {
        fail(window.errors_, window.failed_, first + i, error);
      } else if (into.kind == BoundKind::kAbsent) {
        window.has_absent_ = true;
      }
    }
  }
}

void SqliteBinder::check_missing(SqliteWindow& window) const {
  const auto check = [&](const Rule& rule, auto&& is_missing) {
    for (std::size_t i = 0; i < window.size(); ++i) {
      if (window.failed_[i] || !is_missing(window.values(i)[rule.column].kind)) continue;
      fail(window.errors_, window.failed_, i, rule.error);
    }
  };
  if (window.has_absent_) {
    const auto is_absent = [](BoundKind kind) { return kind == BoundKind::kAbsent; };
    for (const Rule& rule : keys_) check(rule, is_absent);
    for (const Rule& rule : required_) check(rule, is_absent);
  }
  if (null_key_is_missing_) {
    for (const Rule& rule : keys_) {
      check(rule, [](BoundKind kind) { return kind == BoundKind::kNull; });
    }
  }
}

void SqliteBinder::check_nulls(SqliteWindow& window) const {
  for (const Rule& rule : not_null_) {
    for (std::size_t i = 0; i < window.size(); ++i) {
      if (window.failed_[i]) continue;
      if (window.values(i)[rule.column].kind != BoundKind::kNull) continue;
      fail(window.errors_, window.failed_, i, rule.error);
    }
  }
}

}  // namespace tallyman
