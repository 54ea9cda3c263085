// Jobs, their history and their leases as rows of PostgreSQL tables: what the stores
// share.
//
// Each function works within the transaction that the connection is in.
//
// Locks: who changes a job's state takes its row FOR NO KEY UPDATE; a unit takes it FOR
// SHARE, as the last thing before its commit. That a unit's row refers to its job takes
// a key lock, from the unit's begin on; it stands in the way of neither. Who removes the
// job waits for those, too, before it has anything that they may wait for. Then the rows
// of the job's leases, its owner, its table, its history: always in this order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "db/postgres.h"
#include "model/job.h"
#include "store/job_store.h"

namespace tallyman {

// "SELECT <columns> FROM tallyman.job j ...", to be gone on with "WHERE ...", so that
// read_jobs() can read it. Counts of jobs In Progress are summed from their units.
extern const std::string_view kSelectJobs;

Result<std::vector<Job>> read_jobs(const db::PostgresResult& rows);

// kNotFound where there is none.
Result<Job> find_job(db::PostgresConnection& connection, const JobId& id);
Result<Job> find_job(db::PostgresConnection& connection, JobNumber number);

// The same, and nobody else changes it until the transaction ends. The counts are final
// where the transaction ends the job: no unit commits any more that is not in them.
enum class JobLock : std::uint8_t { kChange, kRemove };
Result<Job> lock_job(db::PostgresConnection& connection, const JobId& id,
                     JobLock lock = JobLock::kChange);
Result<Job> lock_job(db::PostgresConnection& connection, JobNumber number);

// Returns it with its number; the history begins with "created". Nothing where the id or
// the idempotency key is taken.
Result<std::optional<Job>> insert_job(db::PostgresConnection& connection,
                                      const NewJob& job, Timestamp now);

// Writes what a change may change. REQUIRES: `before` is what is stored, and locked.
Result<void> update_job(db::PostgresConnection& connection, const Job& before,
                        const Job& after);

struct NewHistoryEntry {
  std::string_view event;
  std::optional<JobState> from = std::nullopt;
  std::optional<JobState> to = std::nullopt;
  std::string_view by;
  std::string_view detail;
};
// Needs no lock on the job: of two that write at once, the second waits for the first.
Result<void> append_history(db::PostgresConnection& connection, JobNumber job,
                            Timestamp now, const NewHistoryEntry& entry);

Result<OutcomeCounts> sum_units(db::PostgresConnection& connection, JobNumber job);

// What PostgreSQL can keep as text: bytes that are not UTF-8, and NUL, become U+FFFD.
std::string storable_text(std::string_view text);

}  // namespace tallyman
