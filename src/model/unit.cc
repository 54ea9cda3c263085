#include "model/unit.h"

#include "base/check.h"

namespace tallyman {

void OutcomeCounts::add(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCreated: ++created; return;
    case Outcome::kUpdated: ++updated; return;
    case Outcome::kUnchanged: ++unchanged; return;
    case Outcome::kDeleted: ++deleted; return;
    case Outcome::kFailed: ++failed; return;
    case Outcome::kUnprocessed: return;  // Not processed, so not counted.
  }
  CHECK(false);
}

OutcomeCounts& OutcomeCounts::operator+=(const OutcomeCounts& other) {
  created += other.created;
  updated += other.updated;
  unchanged += other.unchanged;
  deleted += other.deleted;
  failed += other.failed;
  return *this;
}

OutcomeCounts count_outcomes(const std::vector<Outcome>& outcomes) {
  OutcomeCounts counts;
  for (const Outcome outcome : outcomes) counts.add(outcome);
  return counts;
}

}  // namespace tallyman
