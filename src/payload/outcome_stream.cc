#include "payload/outcome_stream.h"

#include <algorithm>

#include "model/limits.h"

namespace tallyman {

OutcomeStream::OutcomeStream(Job job, UnitSource units,
                             std::unique_ptr<BatchStream> records,
                             std::optional<std::set<Outcome>> outcomes)
    : job_(std::move(job)),
      unit_source_(std::move(units)),
      records_(std::move(records)),
      outcomes_(std::move(outcomes)) {}

Result<std::optional<RecordWithOutcome>> OutcomeStream::next() {
  while (true) {
    if (next_ == window_end_) {
      TALLY_TRY_ASSIGN(const bool more, load_window());
      if (!more) return std::optional<RecordWithOutcome>();
      if (!window_has_wanted()) {
        next_ = window_end_;
        continue;
      }
    }
    const Entry& entry = entries_[next_ - window_begin_];
    const Outcome outcome =
        entry.unit ? entry.unit->outcomes[entry.place] : Outcome::kUnprocessed;
    // Of a running job, a record without a unit is not yet anything.
    if (!wanted(outcome) || (!entry.unit && !is_terminal(job_.state))) {
      ++next_;
      continue;
    }
    TALLY_TRY_ASSIGN(const bool found, load_batch());
    if (!found) {
      return Error{ErrorCode::kInternal, "job " + job_.id.to_string() +
                                             ": the payload ends before record " +
                                             std::to_string(next_ + 1)};
    }
    return std::optional(row_of(next_++, entry));
  }
}

// Reads the units of the next window; after the last one, what is left of an ended job.
Result<bool> OutcomeStream::load_window() {
  window_begin_ = window_end_;
  units_.clear();
  entries_.clear();

  if (!ahead_) {
    TALLY_TRY_ASSIGN(auto unit, unit_source_(from_window_, from_slice_));
    if (unit) ahead_ = std::make_unique<LedgerUnit>(std::move(*unit));
  }
  if (!ahead_) {
    const std::uint64_t total = job_.total_items.value_or(0);
    if (!is_terminal(job_.state) || window_begin_ >= total) return false;
    if (!wanted(Outcome::kUnprocessed)) return false;
    window_end_ = std::min(total, window_begin_ + limits::kWindowRecords);
    entries_.resize(window_end_ - window_begin_);
    return true;
  }

  const WindowNumber window = ahead_->window;
  window_end_ = window_begin_ + ahead_->window_records;
  entries_.resize(ahead_->window_records);
  while (ahead_ && ahead_->window == window) {
    from_window_ = window;
    from_slice_ = SliceNumber(ahead_->slice.value() + 1);
    units_.push_back(std::move(ahead_));
    enter(units_.back()->outcomes);
    TALLY_TRY_ASSIGN(auto unit, unit_source_(from_window_, from_slice_));
    if (unit) ahead_ = std::make_unique<LedgerUnit>(std::move(*unit));
  }
  return true;
}

void OutcomeStream::enter(const UnitOutcomes& unit) {
  auto error = unit.errors.begin();
  for (std::uint32_t place = 0; place < unit.size(); ++place) {
    const auto number = static_cast<std::uint64_t>(unit.record(place).value() - 1);
    Entry& entry = entries_[number - window_begin_];
    entry.unit = &unit;
    entry.place = place;
    if (error != unit.errors.end() && error->first == place) {
      entry.error = &error->second;
      ++error;
    }
  }
}

bool OutcomeStream::window_has_wanted() const {
  if (!outcomes_) return true;
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return wanted(entry.unit ? entry.unit->outcomes[entry.place] : Outcome::kUnprocessed);
  });
}

// Makes part_ hold the record next_.
Result<bool> OutcomeStream::load_batch() {
  if (part_ && next_ >= part_begin_ && next_ < part_end_) return true;
  if (!part_ || next_ != part_end_) {
    records_->seek(RecordNumber(static_cast<std::int64_t>(next_) + 1));
  }
  TALLY_TRY_ASSIGN(part_, records_->next());
  if (!part_) return false;
  part_begin_ = part_->batch->piece().first_record;
  part_end_ = part_begin_ + part_->batch->size();
  return next_ >= part_begin_ && next_ < part_end_;
}

RecordWithOutcome OutcomeStream::row_of(std::uint64_t record, const Entry& entry) {
  RecordWithOutcome row;
  row.record = RecordNumber(static_cast<std::int64_t>(record) + 1);
  row.unit = entry.unit;
  row.place = entry.place;
  row.error = entry.error;
  if (entry.unit) row.outcome = entry.unit->outcomes[entry.place];
  row.batch = part_->batch.get();
  row.index = record - part_begin_;
  return row;
}

}  // namespace tallyman
