// PostgresLedger: the Ledger in a PostgreSQL database.
//
// A unit's transaction inserts its row first: a second attempt waits there for a commit
// whose outcome nobody knows, and then sees it. It checks the claim last, under a share
// lock on the job's row: an abort waits for what has been checked, and is seen by what
// has not. In between its session is named after the lease (postgres_session_name()), so
// that whoever takes the slice over can end it.
//
// Ownership: the database must outlive it.
// Threads:   any.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "store/ledger.h"

namespace tallyman {

class PostgresLedger final : public Ledger {
 public:
  explicit PostgresLedger(db::Database& database) : database_(database) {}

  Result<void> sign(db::Transaction& transaction, const Claim& claim) override;
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
  bool may_tell_now();

  db::Database& database_;
  std::atomic<std::chrono::steady_clock::duration> told_at_{};  // When a unit was told.
};

}  // namespace tallyman
