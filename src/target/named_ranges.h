// NamedRanges: integer ids with the outcomes that name them, as ranges that do not
// overlap.
//
//   NamedRanges ranges;
//   ranges.add(17, mask_of(Outcome::kCreated));      // in any order, any number of times
//   if (ranges.size() >= NamedRanges::kHeldMax) use(ranges.take());
//
// Ids that come in order cost nothing: they lengthen the last range.
//
// Threads: one. Memory: 24 bytes a range.
#pragma once

#include <cstdint>
#include <vector>

#include "target/outcome_mask.h"

namespace tallyman {

struct NamedRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  OutcomeMask outcomes = 0;

  std::uint64_t size() const {
    return static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) + 1;
  }
  friend bool operator==(const NamedRange&, const NamedRange&) = default;
};

class NamedRanges {
 public:
  // As many as should be held before they are taken: 24 MiB.
  static constexpr std::size_t kHeldMax = 1U << 20;

  void add(std::int64_t id, OutcomeMask outcomes) {
    if (!ranges_.empty()) {
      NamedRange& end = ranges_.back();
      if (end.outcomes == outcomes && end.last < INT64_MAX && end.last + 1 == id) {
        end.last = id;
        return;
      }
    }
    ranges_.push_back({id, id, outcomes});
  }
  std::size_t size() const { return ranges_.size(); }

  // What was added since the last time: ascending, each id in one range with all of the
  // outcomes that named it. Empties it.
  std::vector<NamedRange> take();

 private:
  std::vector<NamedRange> ranges_;
};

}  // namespace tallyman
