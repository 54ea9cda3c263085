// PostgresSetChecks: finds the records of a set that would be refused, by a few queries,
// so that the rest can be written at once.
//
//   TALLY_TRY_ASSIGN(const PostgresSuspects suspects, checks.find(records));
//
// Asks in the order of one list: CHECK constraints (by name), foreign keys (by name),
// unique keys (the primary first, then by name), these greedily in file order among the
// records still alive. What it does not find (casts, expression and partial keys,
// exclusion constraints, checks that read columns that were not sent) is found by
// looking at smaller and smaller sets.
//
// REQUIRES: as PostgresSetWriter.
// Threads:  one.
// Errors:   what is no record's fault.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "db/postgres.h"
#include "model/outcome.h"
#include "target/postgres_shape.h"
#include "target/postgres_window.h"
#include "target/postgres_write.h"

namespace tallyman {

struct PostgresSuspects {
  // By record. Refused whatever becomes of the others.
  std::map<std::uint32_t, RecordError> refused;
  // Refused, and for this reason, if the earlier record of the set with the same value
  // succeeds. Some are refused in any case, then for the other reason.
  std::map<std::uint32_t, RecordError> repeated;
};

class PostgresSetChecks {
 public:
  PostgresSetChecks(db::PostgresConnection& connection, const PostgresWrite& write,
                    const PostgresWindow& window)
      : connection_(connection), write_(write), window_(window) {}

  // REQUIRES: records of one shape, in file order.
  Result<PostgresSuspects> find(std::span<const std::uint32_t> records);

 private:
  struct Search {
    std::vector<std::uint32_t> alive;
    PostgresShape shape;
    // Those of which the table has a value of a unique key, and the first such key.
    std::map<std::uint32_t, std::size_t> there;
    PostgresSuspects found;
  };

  Result<void> find_broken_checks(Search& search);
  Result<void> find_missing_parents(Search& search, std::size_t foreign_key);
  Result<void> find_duplicates(Search& search, std::size_t key);
  void find_repeated(Search& search);
  Result<bool> lie_beyond_all_rows(const Search& search, std::size_t column);
  std::vector<std::uint32_t> likely_repeated(const std::vector<std::uint32_t>& records,
                                             std::span<const std::size_t> columns) const;
  // False where a part of it is NULL: no other record has it.
  bool append_key(std::span<const std::size_t> columns, std::uint32_t record,
                  std::string& into) const;

  // The columns of the fields, where each of them is sent and written; else nothing.
  std::optional<std::vector<std::size_t>> columns_of(
      const Search& search, std::span<const std::size_t> fields) const;
  void drop_refused(Search& search) const;
  Result<bool> finds_nothing(const std::string& sql, const db::PostgresParams& params);
  // Places of `search.alive` that a query names (with its first column); nothing where
  // the query itself cannot be answered.
  Result<std::optional<db::PostgresResult>> ask(const std::string& sql,
                                                const db::PostgresParams& params);

  db::PostgresConnection& connection_;
  const PostgresWrite& write_;
  const PostgresWindow& window_;
};

}  // namespace tallyman
