// ResultRows: the upload and the ledger read side by side, a record after the other.
//
// Threads: one. Memory: a piece of the upload and the outcomes of a window.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/result.h"
#include "model/job.h"
#include "model/outcome.h"
#include "payload/batch_stream.h"
#include "store/ledger.h"

namespace tallyman {

struct ResultRow {
  RecordNumber record{1};
  Outcome outcome = Outcome::kUnprocessed;
  const UnitOutcomes* unit = nullptr;  // Null: no unit covers the record.
  std::size_t place = 0;               // In the unit.
  const RecordError* error = nullptr;
  const RecordBatch* batch = nullptr;
  std::size_t index = 0;  // In the batch.
  std::optional<RecordNumber> parent_record;
};

class ResultRows {
 public:
  ResultRows(Ledger& ledger, Job job, std::unique_ptr<BatchStream> records,
             std::optional<std::set<Outcome>> outcomes);

  // The next record that is asked for; nothing at the end. The row lives until the next call.
  Result<std::optional<ResultRow>> next();

  PayloadReader& payload() { return records_->payload(); }

 private:
  // Where a record of the window stands in the ledger.
  struct Entry {
    const UnitOutcomes* unit = nullptr;
    std::uint32_t place = 0;
    const RecordError* error = nullptr;
  };

  Result<bool> load_window();
  void enter(const UnitOutcomes& unit);
  bool wanted(Outcome outcome) const { return !outcomes_ || outcomes_->contains(outcome); }
  bool window_has_wanted() const;
  Result<bool> load_batch();
  ResultRow row_of(std::uint64_t record, const Entry& entry);
  Result<std::optional<RecordNumber>> parent_of(std::uint64_t record);

  Ledger& ledger_;
  Job job_;
  std::unique_ptr<BatchStream> records_;
  std::optional<std::set<Outcome>> outcomes_;

  std::uint64_t next_ = 0;          // 0-based number of the next record.
  std::uint64_t window_begin_ = 0;  // Records [window_begin_, window_end_) are in entries_.
  std::uint64_t window_end_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<LedgerUnit>> units_;
  std::unique_ptr<LedgerUnit> ahead_;  // The first unit of the next window.
  WindowNumber from_window_{0};
  SliceNumber from_slice_{0};

  std::optional<BatchStream::Part> part_;  // Covers [part_begin_, part_end_).
  std::uint64_t part_begin_ = 0;
  std::uint64_t part_end_ = 0;

  std::vector<RecordNumber> parents_;  // Of records from parents_begin_ on.
  std::uint64_t parents_begin_ = 0;
};

}  // namespace tallyman
