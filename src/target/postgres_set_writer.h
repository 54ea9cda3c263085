// PostgresSetWriter: the fast path. Applies many records by a few statements, all of them
// or none: COPY BINARY (or INSERT ... SELECT FROM unnest) with ids drawn before, UPDATE
// and DELETE joined with unnest(arrays).
//
//   TALLY_TRY_ASSIGN(const bool applied, sets.apply(records, results));
//   if (!applied) ... some record was refused: look at smaller sets
//
// REQUIRES: the table is written alike by one statement or by many (why_one_by_one()); no
// two of the records have one key; constraints are immediate.
// Ownership: borrows everything; must die before the transaction ends.
// Threads:   one.
// Errors:    what is no record's fault: lost connections, locks, deadlocks.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/postgres.h"
#include "model/outcome.h"
#include "target/postgres_results.h"
#include "target/postgres_shape.h"
#include "target/postgres_window.h"
#include "target/postgres_write.h"

namespace tallyman {

class PostgresSetWriter {
 public:
  // What the job's sets have shown, for the next ones.
  struct Habits {
    // No record of an upsert has been found that changes nothing: what an UPDATE leaves
    // over is inserted without being looked for.
    bool rest_is_new = true;
  };

  PostgresSetWriter(db::PostgresConnection& connection, const PostgresWrite& write,
                    const PostgresWindow& window, Habits& habits)
      : connection_(connection), write_(write), window_(window), habits_(habits) {}

  // `records`: places in the window, in the order of their keys (an insert: in file
  // order). False: nothing was done.
  Result<bool> apply(std::span<const std::uint32_t> records, PostgresResults& results);

 private:
  // Records of one shape.
  struct Group {
    PostgresShape shape;
    std::vector<std::uint32_t> records;
  };

  Result<bool> apply_groups(std::span<const std::uint32_t> records,
                            PostgresResults& results);
  std::vector<Group> groups_of(std::span<const std::uint32_t> records) const;

  Result<bool> change(const Group& group, PostgresResults& results);
  Result<bool> try_insert(const Group& group, std::vector<std::uint32_t> records,
                          PostgresResults& results);
  Result<bool> remove(const Group& group, PostgresResults& results);
  // A row that was there: its record's place in the group, and its id.
  using TakeRow =
      std::function<void(std::size_t at, std::span<const std::string_view> id)>;
  Result<bool> remove_by_key(const Group& group, const TakeRow& take);
  Result<bool> remove_by_id(const Group& group, const TakeRow& take);
  bool key_is_integer_id() const;
  Result<bool> insert(const Group& group, std::span<const std::uint32_t> records,
                      PostgresResults& results);

  Result<bool> copy(const PostgresShape& shape, std::span<const std::uint32_t> records,
                    const std::vector<DrawnIds>& drawn);
  Result<bool> insert_from_arrays(const PostgresShape& shape,
                                  std::span<const std::uint32_t> records,
                                  const std::vector<DrawnIds>& drawn);
  Result<bool> take_inserted_ids(std::span<const std::uint32_t> records,
                                 const std::vector<DrawnIds>& drawn,
                                 PostgresResults& results);
  Result<std::optional<PostgresCells>> texts_of(std::size_t column,
                                                std::span<const std::uint32_t> records);

  // Nothing where the database refused a record.
  Result<std::optional<db::PostgresResult>> ask(const std::string& sql,
                                                const db::PostgresParams& params);

  db::PostgresConnection& connection_;
  const PostgresWrite& write_;
  const PostgresWindow& window_;
  Habits& habits_;
};

}  // namespace tallyman
