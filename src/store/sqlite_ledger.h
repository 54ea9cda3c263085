// SqliteLedger: the Ledger in a SQLite database.
//
// Ownership: the database must outlive it.
// Threads:   any.
#pragma once

#include "db/sqlite.h"
#include "store/ledger.h"

namespace tallyman {

class SqliteLedger final : public Ledger {
 public:
  explicit SqliteLedger(db::Database& database) : database_(database) {}

  // Nothing: a SQLite file has one process, and no transaction outlives it.
  Result<void> sign(db::Transaction&, const Claim&) override { return {}; }
  Result<void> begin_unit(db::Transaction& transaction, const Claim& claim,
                          const UnitPlace& unit) override;
  Result<void> end_unit(db::Transaction& transaction, const Claim& claim,
                        const UnitPlace& unit, std::uint64_t window_records,
                        const UnitOutcomes& outcomes) override;
  Result<SlicePosition> position(JobNumber job, SliceNumber slice) override;
  Result<std::optional<LedgerUnit>> next_unit(JobNumber job, WindowNumber from_window,
                                              SliceNumber from_slice) override;
  Result<std::optional<LedgerUnit>> next_unit(db::Transaction& transaction, JobNumber job,
                                              WindowNumber from_window,
                                              SliceNumber from_slice) override;
  Result<void> add_parent_records(JobNumber child, RecordNumber first,
                                  const std::vector<RecordNumber>& parents) override;
  Result<std::vector<RecordNumber>> parent_records(JobNumber child,
                                                   RecordNumber from) override;
  Result<OutcomeCounts> counts(JobNumber job) override;
  Result<ErrorCounts> error_counts(JobNumber job) override;
  Result<std::vector<std::pair<RecordNumber, RecordError>>> first_errors(
      JobNumber job, std::size_t limit) override;

 private:
  db::Database& database_;
};

}  // namespace tallyman
