// Jobs, their history and their leases as rows of SQLite tables: what the stores share.
//
// Each function works within the transaction that the connection is in.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "db/sqlite.h"
#include "model/job.h"
#include "store/job_store.h"

namespace tallyman {

// What "SELECT" names so that read_jobs() can read it.
extern const std::string_view kJobColumns;

// The rows of a prepared and bound "SELECT <kJobColumns> FROM tallyman_job ...". Counts
// of a job In Progress are summed from its units.
Result<std::vector<Job>> read_jobs(db::SqliteStatement& select);

// kNotFound where there is none.
Result<Job> find_job(db::SqliteConnection& connection, const JobId& id);
Result<Job> find_job(db::SqliteConnection& connection, JobNumber number);

// Returns it with its number; the history begins with "created".
Result<Job> insert_job(db::SqliteConnection& connection, const NewJob& job,
                       Timestamp now);

// Writes what a change may change. REQUIRES: `before` is what is stored.
Result<void> update_job(db::SqliteConnection& connection, const Job& before,
                        const Job& after);

struct NewHistoryEntry {
  std::string_view event;
  std::optional<JobState> from = std::nullopt;
  std::optional<JobState> to = std::nullopt;
  std::string_view by;
  std::string_view detail;
};
Result<void> append_history(db::SqliteConnection& connection, JobNumber job,
                            Timestamp now, const NewHistoryEntry& entry);

Result<OutcomeCounts> sum_units(db::SqliteConnection& connection, JobNumber job);

// The job's state where the claim holds (its epoch, and the token of all
// of its slices' leases); else kLost.
Result<JobState> check_claim(db::SqliteConnection& connection, const Claim& claim);

}  // namespace tallyman
