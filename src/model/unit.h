// What became of the records of a unit: a contiguous run, or the part of a window that
// goes together.
//
// Plain values. Memory: 1 byte a record for the outcome, 8 a record for an integer id.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/ids.h"
#include "model/outcome.h"

namespace tallyman {

// How rows of a table are named in the ledger.
enum class RowIdKind : std::uint8_t {
  kNone = 0,     // The table has no primary key: rows cannot be named.
  kInteger = 1,  // A primary key of one integer.
  kText = 2,     // Any other: the key's value as text, or, composite, a JSON array.
};

// One id for each record, in the records' order. A record without a row (failed) has a
// place here too; what stands there means nothing.
struct RowIds {
  RowIdKind kind = RowIdKind::kNone;
  std::vector<std::int64_t> integers;  // kInteger.
  std::string texts;                   // kText: all of them, one after the other ...
  std::vector<std::uint32_t> ends;     // ... and where each ends.

  void push(std::int64_t id) { integers.push_back(id); }
  void push(std::string_view id) {
    texts += id;
    ends.push_back(static_cast<std::uint32_t>(texts.size()));
  }
  std::string_view text(std::size_t i) const {
    const std::uint32_t begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(texts).substr(begin, ends[i] - begin);
  }
};

struct UnitOutcomes {
  RecordNumber first_record{1};
  // The records' distances from first_record, ascending; empty: 0, 1, 2 ... (contiguous).
  std::vector<std::uint32_t> places;
  std::vector<Outcome> outcomes;
  RowIds ids;  // Ids of all successes (of a deleted row too).
  // Of each failed record: its place in `outcomes`, and why. Ascending.
  std::vector<std::pair<std::uint32_t, RecordError>> errors;

  std::size_t size() const { return outcomes.size(); }
  RecordNumber record(std::size_t i) const {
    return RecordNumber(first_record.value() +
                        static_cast<std::int64_t>(places.empty() ? i : places[i]));
  }
};

// Which unit of a job.
struct UnitPlace {
  WindowNumber window{0};
  SliceNumber slice{0};
};

// A unit as the ledger keeps it.
struct LedgerUnit {
  WindowNumber window{0};
  SliceNumber slice{0};
  std::uint64_t window_records = 0;  // Records of the whole window.
  UnitOutcomes outcomes;
};

struct OutcomeCounts {
  std::uint64_t created = 0;
  std::uint64_t updated = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t deleted = 0;
  std::uint64_t failed = 0;

  void add(Outcome outcome);
  OutcomeCounts& operator+=(const OutcomeCounts& other);
  std::uint64_t succeeded() const { return created + updated + unchanged + deleted; }
  std::uint64_t processed() const { return succeeded() + failed; }
  friend bool operator==(const OutcomeCounts&, const OutcomeCounts&) = default;
};

OutcomeCounts count_outcomes(const std::vector<Outcome>& outcomes);

}  // namespace tallyman
