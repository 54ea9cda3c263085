#include "worker/window_source.h"

#include <algorithm>

namespace tallyman {
namespace {

// What a record takes in memory: its text and its cells.
std::uint64_t record_bytes(const RecordBatch& batch, std::size_t i) {
  return batch.raw(i).size() + batch.columns() * sizeof(Cell);
}

// The first window is a fraction of the others: what writes it does not wait for a whole
// one to be read and bound.
constexpr std::uint64_t kFirstShare = 8;

WindowPlan size_of(WindowNumber number, WindowPlan plan) {
  if (number != WindowNumber(0)) return plan;
  plan.window_records = std::max<std::uint64_t>(1, plan.window_records / kFirstShare);
  plan.window_bytes = std::max<std::uint64_t>(1, plan.window_bytes / kFirstShare);
  return plan;
}

}  // namespace

WindowSource::WindowSource(std::unique_ptr<BatchStream> records, const WindowPlan& plan,
                           WindowNumber number, RecordNumber first)
    : records_(std::move(records)), plan_(plan), number_(number), next_record_(first) {
  records_->seek(first);
}

Result<std::optional<Window>> WindowSource::next() {
  Window window{.number = number_, .first_record = next_record_};
  const WindowPlan size = size_of(number_, plan_);
  bool full = false;
  while (!full) {
    if (!rest_) {
      TALLY_TRY_ASSIGN(rest_, records_->next());
      if (!rest_) break;
    }
    WindowPart part{.batch = rest_->batch, .begin = rest_->begin, .end = rest_->begin};
    while (part.end < part.batch->size() && !full) {
      window.bytes += record_bytes(*part.batch, part.end);
      ++part.end;
      ++window.record_count;
      full =
          window.record_count >= size.window_records || window.bytes >= size.window_bytes;
    }
    rest_->begin = part.end;
    if (rest_->begin == part.batch->size()) rest_.reset();
    window.parts.push_back(std::move(part));
  }
  if (window.record_count == 0) return std::optional<Window>();
  number_ = WindowNumber(number_.value() + 1);
  next_record_ =
      RecordNumber(next_record_.value() + static_cast<std::int64_t>(window.record_count));
  return std::optional(std::move(window));
}

}  // namespace tallyman
