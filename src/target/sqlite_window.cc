#include "target/sqlite_window.h"

#include <algorithm>

namespace tallyman {
namespace {

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
  binder.rules_ = BindingRules::make(resource, plan, [&](const Field& field) {
    return table.rowid_column == table_column(table, field);
  });
  for (std::size_t column = 0; column < plan.fields.size(); ++column) {
    if (!plan.bound[column]) continue;
    const Field& field = resource.fields[plan.fields[column]];
    const std::size_t place = table_column(table, field);
    TALLY_TRY_ASSIGN(auto column_binder,
                     SqliteColumnBinder::make(field, table.affinities[place],
                                              may_bind(field, plan, column)));
    binder.bound_.push_back({column, std::move(column_binder)});
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
  rules_.check(*bound, [&](std::size_t i, const RecordError& error) {
    fail(bound->errors_, bound->failed_, i, error);
  });
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

}  // namespace tallyman
