// OutcomeStream: the upload and the ledger read side by side, a record after the other.
//
//   OutcomeStream stream(job, units, std::move(records), outcomes);
//   while (true) {
//     TALLY_TRY_ASSIGN(const auto record, stream.next());
//     if (!record) break;
//     use(record->outcome, record->batch->raw(record->index));
//   }
//
// Of a job that has ended, a record that no unit covers is unprocessed; of one that runs,
// it is not given out.
//
// Threads: one. Memory: a piece of the upload and the outcomes of a window.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/result.h"
#include "model/job.h"
#include "model/outcome.h"
#include "payload/batch_stream.h"

namespace tallyman {

// The first committed unit at or after (window, slice); nothing where there is none.
using UnitSource = std::function<Result<std::optional<LedgerUnit>>(WindowNumber window,
                                                                   SliceNumber slice)>;

struct RecordWithOutcome {
  RecordNumber record{1};
  Outcome outcome = Outcome::kUnprocessed;
  const UnitOutcomes* unit = nullptr;  // Null: no unit covers the record.
  std::size_t place = 0;               // In the unit.
  const RecordError* error = nullptr;
  const RecordBatch* batch = nullptr;
  std::size_t index = 0;  // In the batch.
};

class OutcomeStream {
 public:
  OutcomeStream(Job job, UnitSource units, std::unique_ptr<BatchStream> records,
                std::optional<std::set<Outcome>> outcomes);

  // The next record with one of the outcomes; nothing at the end. Lives until the next
  // call.
  Result<std::optional<RecordWithOutcome>> next();

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
  bool wanted(Outcome outcome) const {
    return !outcomes_ || outcomes_->contains(outcome);
  }
  bool window_has_wanted() const;
  Result<bool> load_batch();
  RecordWithOutcome row_of(std::uint64_t record, const Entry& entry);

  Job job_;
  UnitSource unit_source_;
  std::unique_ptr<BatchStream> records_;
  std::optional<std::set<Outcome>> outcomes_;

  std::uint64_t next_ = 0;  // 0-based number of the next record.
  std::uint64_t window_begin_ =
      0;  // Records [window_begin_, window_end_) are in entries_.
  std::uint64_t window_end_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<LedgerUnit>> units_;
  std::unique_ptr<LedgerUnit> ahead_;  // The first unit of the next window.
  WindowNumber from_window_{0};
  SliceNumber from_slice_{0};

  std::optional<BatchStream::Part> part_;  // Covers [part_begin_, part_end_).
  std::uint64_t part_begin_ = 0;
  std::uint64_t part_end_ = 0;
};

}  // namespace tallyman
