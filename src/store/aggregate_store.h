// AggregateStore: aggregates that were asked for, and their answers, kept beside the job.
//
// An answer belongs to (job, name, definition): the same name with the same definition is
// answered from here; a new definition is a new request. Pending ones are work items that
// a worker takes like a unit.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "db/database.h"
#include "model/ids.h"

namespace tallyman {

struct StoredAggregate {
  JobNumber job{0};
  std::string name;
  std::string definition;  // Canonical JSON (model/aggregate.h).
  bool done = false;
  std::string value;  // JSON; empty where it failed.
  std::string error;
  std::optional<Timestamp> as_of;
  std::int64_t sequence = 0;  // Order of asking, over all jobs.
};

class AggregateStore {
 public:
  virtual ~AggregateStore() = default;
  // Adds those that are not there yet (same job, name, definition).
  virtual Result<void> request(
      JobNumber job,
      const std::vector<std::pair<std::string, std::string>>& names_and_definitions) = 0;
  // In order of asking; of one name the last definition asked for comes last.
  virtual Result<std::vector<StoredAggregate>> find(JobNumber job) = 0;
  // Jobs with pending requests, the oldest first; the pending requests of the first one
  // are what a worker computes next.
  virtual Result<std::vector<StoredAggregate>> next_pending() = 0;
  // Adds the request where it is not there (aggregates asked for with the job), and its
  // answer.
  virtual Result<void> answer(db::Transaction& transaction,
                              const StoredAggregate& aggregate) = 0;
};

}  // namespace tallyman
