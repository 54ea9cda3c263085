// OwnerWeights: how the work is shared out among owners who wait for it at once.
//
//   const OwnerWeights weights({{"shop", 3}});   // Everybody else: 1.
//   weights.cost_of(job)                         // the stretch of the clock it takes
//
// The rule (start-time fair queueing). A common clock counts work, in records of an owner
// of the greatest weight. A job, when it starts, takes a stretch of the clock: it begins
// where its owner's last one ended, or where the clock stands if that is later, and is as
// long as the job's records divided by its owner's weight. The clock stands where the job
// that was started last begins. Of all that can be claimed now, what belongs to the owner
// whose next stretch would begin first is; then what was submitted first. So owners that
// always have work get it in the proportion of their weights; nobody saves up what they
// did not ask for; and nothing waits while there is nobody else to do it for.
//
// A stretch is stored with the claim that starts its job, in the one transaction: all
// nodes see the same clock. It is taken whole; of a job that ends early the rest is given
// back.
//
// A plain value. Threads: any.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "model/job.h"
#include "model/limits.h"

namespace tallyman {

class OwnerWeights {
 public:
  OwnerWeights() = default;
  explicit OwnerWeights(std::map<std::string, std::uint32_t, std::less<>> weights)
      : by_owner_(std::move(weights)) {}

  // From 1 to limits::kOwnerWeightMax; of those who were not named: 1.
  std::uint32_t of(std::string_view owner) const {
    const auto found = by_owner_.find(owner);
    return found == by_owner_.end() ? 1 : found->second;
  }

  // How long a stretch of the clock the job takes: its records and one more, for there is
  // work in starting one. At least 1.
  std::int64_t cost_of(const Job& job) const {
    return std::max<std::int64_t>(1, stretch(job, job.total_items.value_or(0) + 1));
  }
  // What is given back when it ends. REQUIRES: its counts are final.
  std::int64_t rest_of(const Job& job) const {
    const std::uint64_t total = job.total_items.value_or(0);
    const std::uint64_t done = job.counts.processed();
    return done < total ? stretch(job, total - done) : 0;
  }

 private:
  std::int64_t stretch(const Job& job, std::uint64_t records) const {
    return static_cast<std::int64_t>(records * limits::kOwnerWeightMax / of(job.owner));
  }

  // The same on every node, or each node shares out by its own.
  std::map<std::string, std::uint32_t, std::less<>> by_owner_;
};

}  // namespace tallyman
