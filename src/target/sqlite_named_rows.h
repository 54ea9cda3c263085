// SqliteNamedRows: the distinct rows that a job's ledger names, with what became of them.
//
//   TALLY_TRY_ASSIGN(auto named, SqliteNamedRows::open(connection, table, ids));
//   TALLY_TRY_ASSIGN(auto pass, named->start({amount, category}, kWritten));
//   while (true) {
//     TALLY_TRY_ASSIGN(const bool more, pass->next());
//     if (!more) break;
//     pass->row().number(pass->place(0));                     // amount
//   }
//
// Ids that ascend from unit to unit (inserts) are read as ranges, straight from the
// ledger; others are sorted and made distinct in a temporary table.
//
// Ownership: borrows the connection and the table; a pass borrows this.
// Threads:   one.
// Memory:    one batch of ids; the temporary table is on disk.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/sqlite.h"
#include "target/outcome_mask.h"
#include "target/sqlite_table.h"
#include "target/sqlite_value.h"
#include "target/target.h"

namespace tallyman {

class SqliteNamedRows {
 public:
  class Pass;

  static Result<std::unique_ptr<SqliteNamedRows>> open(db::SqliteConnection& connection,
                                                       const SqliteTable& table,
                                                       const RowIdSourceMaker& ids);
  ~SqliteNamedRows();

  // Of the records.
  const OutcomeCounts& counts() const { return counts_; }

  // One after the other, the rows that are there and that a record of one of `outcomes`
  // named, with these fields (places in the table). REQUIRES: the table has a primary
  // key.
  Result<std::unique_ptr<Pass>> start(std::span<const std::size_t> fields,
                                      OutcomeMask outcomes);

 private:
  struct NamedId {
    std::int64_t integer = 0;
    std::string text;
    OutcomeMask outcomes = 0;
  };

  SqliteNamedRows(db::SqliteConnection& connection, const SqliteTable& table,
                  const RowIdSourceMaker& ids)
      : connection_(connection), table_(table), ids_(ids) {}
  Result<void> look_at_ids();
  Result<void> sort_ids();
  std::string select(std::span<const std::size_t> fields) const;

  db::SqliteConnection& connection_;
  const SqliteTable& table_;
  const RowIdSourceMaker& ids_;
  OutcomeCounts counts_;
  bool ascending_ = true;  // Integers, each larger than the one before.
};

class SqliteNamedRows::Pass {
 public:
  Result<bool> next();

  // Of the row at hand.
  const db::SqliteStatement& row() const { return *row_; }
  int place(std::size_t i) const {
    return static_cast<int>(i) + 1;
  }  // Of the i-th field.
  OutcomeMask outcomes() const { return outcomes_; }

  // Distinct ids until now.
  std::uint64_t named() const { return named_; }

 private:
  friend class SqliteNamedRows;
  static constexpr std::size_t kBatch = 4096;
  // Rows of a range that are passed over cost less than a look-up up to here.
  static constexpr std::uint64_t kSparseMax = 4;

  Pass(SqliteNamedRows& rows, OutcomeMask wanted) : rows_(rows), wanted_(wanted) {}

  Result<void> load();
  Result<void> load_from_ledger();
  Result<void> load_from_table();
  void keep(NamedId id);
  Result<bool> next_of_range();
  Result<bool> next_by_look_up();

  SqliteNamedRows& rows_;
  const OutcomeMask wanted_;
  std::optional<db::SqliteStatement> range_;
  std::optional<db::SqliteStatement> look_up_;
  std::optional<db::SqliteStatement> sorted_;
  RowIdSource source_;
  UnitOutcomes unit_;
  std::size_t unit_at_ = 0;
  bool at_end_ = false;

  std::vector<NamedId> batch_;
  std::size_t at_ = 0;
  bool in_range_ = false;
  std::deque<std::string> arena_;

  db::SqliteStatement* row_ = nullptr;
  OutcomeMask outcomes_ = 0;
  std::uint64_t named_ = 0;
};

}  // namespace tallyman
