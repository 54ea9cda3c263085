// AggregateAccumulator: one aggregate over rows that are given to it one by one. The same
// for every database.
//
//   AggregateAccumulator total(spec, resource, distinct_values);
//   total.add(value, groups);        // for each row
//   AggregateResult result = total.finish();
//
// Exact: sums of integers and decimals are decimals of any length; an average is rounded
// half to even at six digits past the field's scale (of what was seen, where none is
// declared); floats are summed exactly and rounded once. Texts are ordered by code point,
// dates and times too.
//
// Answer: a JSON value, or, grouped, an object by group, nested for several fields,
// sorted by text, NULL as the key null and last. Of no values: count 0, the others null.
//
// Threads: one.
// Memory:  one state a group, at most kAggregateGroupsMax; distinct values go to the
//          DistinctValues that is borrowed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/decimal.h"
#include "base/result.h"
#include "model/aggregate.h"
#include "model/resource.h"
#include "tallyman/value.h"
#include "target/float_sum.h"
#include "target/target.h"

namespace tallyman {

// A field of a row.
struct RowValue {
  Value::Kind kind = Value::Kind::kNull;
  std::int64_t integer = 0;  // kInteger, kBoolean.
  double real = 0;           // kFloat.
  Decimal decimal;           // kDecimal.
  std::string_view text;     // kText, kBytes.

  // As text: canonical digits, "true", a text or bytes as they are.
  void append_text(std::string& into) const;
};

// What a database has made of all rows of a group.
struct GroupTotals {
  std::uint64_t count = 0;  // Rows for count, values for the rest.
  Decimal sum;              // Of integers or decimals.
  int scale = 0;            // The most digits after the point that one of them has.
  RowValue extreme;         // For min and max; NULL where there is none.
  bool finite = true;       // False: the sum is NaN or an infinity.
};

// Sets of values, as many as there are, on disk where they are too many for memory.
class DistinctValues {
 public:
  virtual ~DistinctValues() = default;
  // True where the set did not have the value yet.
  virtual Result<bool> add(std::uint64_t set, std::string_view value) = 0;
};

class AggregateAccumulator {
 public:
  // `first_set`: sets from here on are this aggregate's own, one for each of its groups.
  AggregateAccumulator(const AggregateSpec& spec, const Resource& resource,
                       DistinctValues& distinct, std::uint64_t first_set);
  ~AggregateAccumulator();
  AggregateAccumulator(AggregateAccumulator&&) noexcept;

  // `groups`: one for each of the spec's group_by. The error is the database's; what is
  // wrong with a value is reported by finish().
  Result<void> add(const RowValue& value, std::span<const RowValue* const> groups);
  // A whole group at once, or a part of it that is distinct from others (no sums of
  // floats).
  void add_totals(const GroupTotals& totals, std::span<const RowValue* const> groups);
  // Rows that count, but are not there to be looked at (deleted ones).
  void add_count(std::uint64_t rows);

  AggregateResult finish() const;

 private:
  struct Group;
  struct Ordered;

  Group* group_of(std::span<const RowValue* const> groups);
  Result<void> add_to(Group& group, const RowValue& value);
  void add_number(Group& group, const RowValue& value);
  void add_extreme(Group& group, const RowValue& value);
  std::string value_of(const Group& group) const;
  std::string average_of(const Group& group) const;
  void append_groups(std::span<const Ordered> groups, std::size_t depth, std::string& out,
                     std::string& error) const;
  void fail(std::string why);

  const AggregateSpec spec_;
  const Field* field_ = nullptr;
  DistinctValues& distinct_;
  std::uint64_t next_set_;
  std::unordered_map<std::string, std::unique_ptr<Group>> groups_;  // By packed key.
  std::string key_;
  std::string error_;
};

}  // namespace tallyman
