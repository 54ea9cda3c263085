// Leases as rows of a PostgreSQL table: who may write which slices.
//
// A job In Progress has a row for each of its slices; a retry that is Open has one. What
// is alive is decided by the database's clock, the one that all nodes share.
//
// Each function works within the transaction that the connection is in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/postgres.h"
#include "store/job_store.h"

namespace tallyman {

// A place among others where a lease is looked for: the job's row is not locked, or
// locked so that its state stays until the transaction ends (others may do the same).
enum class ClaimLock { kNone, kShare };

// The job's state where the claim holds (its epoch, and the token of all of its slices'
// leases); else kLost.
Result<JobState> check_claim(db::PostgresConnection& connection, const Claim& claim,
                             ClaimLock lock);
// The same, and the job is In Progress; else kLost.
Result<void> check_may_write(db::PostgresConnection& connection, const Claim& claim,
                             ClaimLock lock);

// application_name of the sessions that write under the lease: for whoever takes it over.
std::string postgres_session_name(LeaseToken token);
// Ends those sessions of the same user: they were cut off, and would hold their locks
// until the server notices. Their units are rolled back, or were committed.
Result<void> end_sessions(db::PostgresConnection& connection, LeaseToken token);

struct SliceState {
  SliceNumber slice{0};
  bool is_alive = false;
  bool is_finished = false;  // Its committed windows cover the whole upload.
};
// In their order. `now`: an SQL expression.
Result<std::vector<SliceState>> read_slices(db::PostgresConnection& connection,
                                            const std::string& now, JobNumber job,
                                            std::uint64_t total_items);

// A lease that nobody else can take until the transaction ends.
struct LockedLease {
  SliceNumber slice{0};
  std::optional<LeaseToken> dead;  // Its token: it ran out.
  std::string worker;              // Whose that was.
};
// At most `most` of those slices that are nobody's, in their order; passes over those
// that somebody else is taking just now.
Result<std::vector<LockedLease>> lock_free_leases(db::PostgresConnection& connection,
                                                  const std::string& now, JobNumber job,
                                                  const std::vector<SliceNumber>& slices,
                                                  std::uint32_t most);

// Rows for slices 0 ... `count` - 1, nobody's.
Result<void> insert_leases(db::PostgresConnection& connection, JobNumber job,
                           std::uint32_t count);
// REQUIRES: the rows are there, and nobody else's.
Result<void> take_leases(db::PostgresConnection& connection, const std::string& now,
                         const Claim& claim, std::string_view worker,
                         std::chrono::milliseconds lease_time);
// Makes those of the claim's slices nobody's that come after one of them, or all.
Result<void> free_leases(db::PostgresConnection& connection, const Claim& claim,
                         SliceNumber after = SliceNumber(-1));

}  // namespace tallyman
