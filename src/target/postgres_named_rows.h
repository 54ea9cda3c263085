// PostgresNamedRows: the distinct rows that a job's ledger names, with what became of
// them, for SQL to look at.
//
//   TALLY_TRY_ASSIGN(const auto named, PostgresNamedRows::open(connection, table, ids));
//   if (named->any()) "SELECT sum(r.c0) FROM (" + named->rows_sql({amount}) + ") AS r"
//
//   ... open(connection, table, ids, PostgresNamedRows::Of::kPresence)
//   if (named->any()) connection.exec(named->count_sql())
//
// Integers in a few ranges are listed in the SQL. Other ids are put into temporary
// tables: of integers, ranges where they lie close together (with a byte for each id
// where they have gaps), else one by one; of other keys, their values in the key's types.
// The tables are dropped with this, and at the transaction's end.
//
// Ownership: borrows the connection (in a transaction) and the table.
// Threads:   one.
// Memory:    24 MiB of ranges, or 1 MiB of texts; the rest is the server's.
// Errors:    of the database; kInvalidArgument where the role may make no temporary
// table.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/postgres.h"
#include "target/named_ranges.h"
#include "target/outcome_mask.h"
#include "target/postgres_table.h"
#include "target/target.h"

namespace tallyman {

class PostgresNamedRows {
 public:
  enum class Of {
    kOutcomes,  // What became of each is to be told.
    kPresence,  // They are only counted: rows next to each other are one range.
  };
  static Result<std::unique_ptr<PostgresNamedRows>> open(
      db::PostgresConnection& connection, const PostgresTable& table,
      const RowIdSourceMaker& ids, Of of = Of::kOutcomes);
  ~PostgresNamedRows();
  PostgresNamedRows(const PostgresNamedRows&) = delete;
  PostgresNamedRows& operator=(const PostgresNamedRows&) = delete;

  // Of the records.
  const OutcomeCounts& counts() const { return counts_; }
  // Distinct ids.
  std::uint64_t named() const { return named_; }
  // Is a row named that should be there?
  bool any() const { return named_ != 0; }

  // Lets another role read the ids, too. REQUIRES: the present one made them.
  Result<void> show_to(const std::string& role);

  // SELECT of the rows that are there: fields (places in the table) as c0, c1 ... in the
  // form of postgres_read_term(), and `outcomes`, a bit for each that names it. With
  // `with_key` the primary key's columns as k0, k1 ... too, as they are. REQUIRES: any().
  std::string rows_sql(std::span<const std::size_t> fields, bool with_key = false) const;
  // SELECT of how many they are. REQUIRES: any().
  std::string count_sql() const;

 private:
  PostgresNamedRows(db::PostgresConnection& connection, const PostgresTable& table, Of of)
      : connection_(connection), table_(table), of_(of) {}

  Result<void> read_integers(const RowIdSource& source);
  Result<void> put_ranges(std::vector<NamedRange> ranges);
  Result<void> make_distinct();
  Result<void> read_texts(const RowIdSource& source);
  Result<void> put_texts(std::string& rows);
  Result<void> type_texts();
  Result<void> make_table(std::string_view name, std::string_view definition);
  Result<void> copy(std::string_view name, std::string_view rows);
  Result<void> finish();
  void list_ranges(std::vector<NamedRange> ranges);
  std::string ranges_sql() const;
  std::string table_sql() const;
  std::string first_key() const;

  db::PostgresConnection& connection_;
  const PostgresTable& table_;
  const Of of_;
  OutcomeCounts counts_;
  std::uint64_t named_ = 0;
  bool made_ = false;
  std::vector<NamedRange> listed_;  // All of them, where they are few.
  bool has_ranges_ = false;         // In a table, as ids are.
  bool has_ids_ = false;
  bool may_overlap_ = false;  // One set of ranges and another.
  // Integers: the least and the greatest.
  std::optional<std::int64_t> first_;
  std::optional<std::int64_t> last_;
};

}  // namespace tallyman
