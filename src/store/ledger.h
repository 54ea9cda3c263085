// Ledger: the outcome of every record, a row a unit.
//
//   begin_unit(transaction, claim, {window, slice})   // refuses a second attempt
//   ... the target writes ...
//   end_unit(transaction, claim, {window, slice}, outcomes)  // refuses who may no longer
//   transaction.commit()
//
// Implementations: SqliteLedger, PostgresLedger. Both pass store/ledger_conformance.h.
//
// Threads: any.
// Errors:  kConflict  the unit is already committed
//          kLost      the job's epoch, state or lease is no longer the claim's
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "model/ids.h"
#include "model/unit.h"
#include "store/job_store.h"

namespace tallyman {

// Where a slice goes on: after its last committed unit.
struct SlicePosition {
  WindowNumber next_window{0};
  RecordNumber next_record{1};
};

using ErrorCounts = std::array<std::uint64_t, kRecordErrorCodeCount>;  // By code.

class Ledger {
 public:
  virtual ~Ledger() = default;

  // Says whose the transaction is, so that who takes the claim over can end it, wherever
  // its worker is. begin_unit() does it too: for a transaction that writes long before.
  virtual Result<void> sign(db::Transaction& transaction, const Claim& claim) = 0;

  // REQUIRES: the slice is one of the claim's.
  virtual Result<void> begin_unit(db::Transaction& transaction, const Claim& claim,
                                  const UnitPlace& unit) = 0;
  virtual Result<void> end_unit(db::Transaction& transaction, const Claim& claim,
                                const UnitPlace& unit, std::uint64_t window_records,
                                const UnitOutcomes& outcomes) = 0;

  virtual Result<SlicePosition> position(JobNumber job, SliceNumber slice) = 0;

  // The first committed unit at or after (window, slice) = `from`; nothing where there is
  // none. One short read each, so that a long result pins nothing.
  virtual Result<std::optional<LedgerUnit>> next_unit(JobNumber job,
                                                      WindowNumber from_window,
                                                      SliceNumber from_slice) = 0;
  // The same inside a snapshot.
  virtual Result<std::optional<LedgerUnit>> next_unit(db::Transaction& transaction,
                                                      JobNumber job,
                                                      WindowNumber from_window,
                                                      SliceNumber from_slice) = 0;

  // --- Retries: which record of the parent each record of the child is ---------------

  // `parents` are those of the child's records from `first` on. Called in order, before
  // the child's upload is complete; again from a record that is there already replaces
  // from it.
  virtual Result<void> add_parent_records(JobNumber child, RecordNumber first,
                                          const std::vector<RecordNumber>& parents) = 0;
  // Those from the child's record `from` on, as many as one row holds; empty at the end.
  virtual Result<std::vector<RecordNumber>> parent_records(JobNumber child,
                                                           RecordNumber from) = 0;

  // Committed units, summed.
  virtual Result<OutcomeCounts> counts(JobNumber job) = 0;
  virtual Result<ErrorCounts> error_counts(JobNumber job) = 0;
  // The first `limit` failed records in file order.
  virtual Result<std::vector<std::pair<RecordNumber, RecordError>>> first_errors(
      JobNumber job, std::size_t limit) = 0;
};

}  // namespace tallyman
