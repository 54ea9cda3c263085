// PostgresResults: what became of the records of a window, as it is found out; in the end
// a unit's outcomes.
//
// Threads: one. Memory: 1 byte a record, and 8 for an integer id or a text for another.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/unit.h"
#include "target/postgres_window.h"
#include "target/postgres_write.h"

namespace tallyman {

class PostgresResults {
 public:
  PostgresResults(const PostgresWrite& write, const PostgresWindow& window);

  // A later word on a record replaces an earlier one. `id`: the primary key's values in
  // their wire form, in its order; empty where rows have no name.
  void succeed(std::uint32_t i, Outcome outcome, std::span<const std::string_view> id);
  void fail(std::uint32_t i, RecordError error);

  // Nothing is known any more.
  void forget() {
    outcomes_.assign(outcomes_.size(), Outcome::kUnprocessed);
    errors_.clear();
  }

  Outcome outcome(std::uint32_t i) const { return outcomes_[i]; }
  std::size_t failed() const { return errors_.size(); }

  // Of these records, in file order.
  UnitOutcomes unit(std::span<const std::uint32_t> records);

 private:
  void note(std::uint32_t i, Outcome outcome);

  const PostgresWrite& write_;
  const PostgresWindow& window_;
  std::vector<Outcome> outcomes_;  // By place in the window, as the two below.
  std::vector<std::int64_t> integers_;
  std::vector<std::string> texts_;
  std::map<std::uint32_t, RecordError> errors_;
};

}  // namespace tallyman
