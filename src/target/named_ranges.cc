#include "target/named_ranges.h"

#include <algorithm>
#include <queue>

namespace tallyman {
namespace {

bool starts_before(const NamedRange& a, const NamedRange& b) { return a.first < b.first; }

struct StartsLater {
  bool operator()(const NamedRange& a, const NamedRange& b) const {
    return b.first < a.first;
  }
};

void append(const NamedRange& range, std::vector<NamedRange>& into) {
  if (!into.empty() && into.back().outcomes == range.outcomes &&
      into.back().last + 1 == range.first) {
    into.back().last = range.last;
    return;
  }
  into.push_back(range);
}

}  // namespace

std::vector<NamedRange> NamedRanges::take() {
  std::vector<NamedRange> sorted = std::move(ranges_);
  ranges_.clear();
  if (!std::is_sorted(sorted.begin(), sorted.end(), starts_before)) {
    std::sort(sorted.begin(), sorted.end(), starts_before);
  }
  std::vector<NamedRange> distinct;
  // What is left of ranges that overlapped.
  std::priority_queue<NamedRange, std::vector<NamedRange>, StartsLater> rests;
  std::size_t at = 0;
  const auto next = [&] {
    if (rests.empty() || (at < sorted.size() && sorted[at].first <= rests.top().first)) {
      return sorted[at++];
    }
    const NamedRange rest = rests.top();
    rests.pop();
    return rest;
  };
  if (sorted.empty()) return distinct;
  NamedRange open = next();
  while (at < sorted.size() || !rests.empty()) {
    const NamedRange range = next();
    if (range.first > open.last) {
      append(open, distinct);
      open = range;
      continue;
    }
    if (range.first > open.first) {
      append({open.first, range.first - 1, open.outcomes}, distinct);
    }
    const NamedRange& longer = range.last > open.last ? range : open;
    const std::int64_t both = std::min(range.last, open.last);
    if (longer.last > both) rests.push({both + 1, longer.last, longer.outcomes});
    open = {range.first, both, static_cast<OutcomeMask>(open.outcomes | range.outcomes)};
  }
  append(open, distinct);
  return distinct;
}

}  // namespace tallyman
