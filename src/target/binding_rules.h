// BindingRules: what a record must have, beside values that fit. The same for every
// database.
//
//   const BindingRules rules = BindingRules::make(resource, plan, null_makes_one);
//   rules.check(window, fail);      // after its values were bound
//
// Order: fields that are required, field by field; then NULL where none may be. The first
// is the record's error.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "model/outcome.h"
#include "model/resource.h"
#include "target/write_plan.h"

namespace tallyman {

// What a record has of a field.
enum class CellState : std::uint8_t { kAbsent, kNull, kValue };

struct BindingRules {
  // A column of the upload and what is said of a record that breaks its rule.
  struct Rule {
    std::size_t column;
    RecordError error;
  };

  // `null_makes_one`: is a NULL in this field of the resource no NULL, but a value that
  // the database makes up?
  static BindingRules make(const Resource& resource, const WritePlan& plan,
                           const std::function<bool(const Field&)>& null_makes_one);

  // Window: size(), has_absent(), is_failed(i), state(column, i).
  // Fail: (i, const RecordError&); from then on the record is_failed().
  template <class Window, class Fail>
  void check(const Window& window, const Fail& fail) const {
    if (window.has_absent()) {
      for (const Rule& rule : keys) check_one(window, rule, CellState::kAbsent, fail);
      for (const Rule& rule : required) check_one(window, rule, CellState::kAbsent, fail);
    }
    if (null_key_is_missing) {
      for (const Rule& rule : keys) check_one(window, rule, CellState::kNull, fail);
    }
    for (const Rule& rule : not_null) check_one(window, rule, CellState::kNull, fail);
  }

  std::vector<Rule> keys;      // It names the row.
  std::vector<Rule> required;  // The field must be there.
  std::vector<Rule> not_null;
  bool null_key_is_missing = false;  // But for upserts: there NULL is a new row's.

 private:
  template <class Window, class Fail>
  static void check_one(const Window& window, const Rule& rule, CellState wrong,
                        const Fail& fail) {
    for (std::size_t i = 0; i < window.size(); ++i) {
      if (window.is_failed(i) || window.state(rule.column, i) != wrong) continue;
      fail(i, rule.error);
    }
  }
};

// May a record have the column's field? Read-only ones only where they find the row.
bool may_bind(const Field& field, const WritePlan& plan, std::size_t column);

}  // namespace tallyman
