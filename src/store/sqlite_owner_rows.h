// What an owner has, as rows of SQLite tables: jobs that have not ended, and what their
// uploads take.
//
// The bytes are a number of their own (tallyman_owner), changed by the same transaction
// that changes the job: to sum them over all jobs would take longer with every job.
//
// Each function works within the transaction that the connection is in.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/sqlite.h"
#include "model/job.h"

namespace tallyman {

// Fewer than `open_jobs_max` jobs of the owner have not ended. Looks at no more of them.
Result<bool> has_fewer_open_jobs(db::SqliteConnection& connection, std::string_view owner,
                                 std::uint64_t open_jobs_max);
Result<std::vector<JobId>> read_open_jobs(db::SqliteConnection& connection,
                                          std::string_view owner);

Result<std::uint64_t> read_stored_bytes(db::SqliteConnection& connection,
                                        std::string_view owner);
// The upload of `job` is complete: kTooLarge where its owner's would take more than
// `stored_bytes_max`.
Result<void> store_bytes(db::SqliteConnection& connection, const Job& job,
                         std::optional<std::uint64_t> stored_bytes_max);
// The upload of `job` goes. Nothing where it never was complete, or is gone already.
Result<void> unstore_bytes(db::SqliteConnection& connection, const Job& job);

// Gives the job that starts its stretch of the common clock (store/owner_share.h).
Result<void> take_share(db::SqliteConnection& connection, const Job& job,
                        std::int64_t cost);
// Takes back what it did not use of it.
Result<void> give_share_back(db::SqliteConnection& connection, const Job& job,
                             std::int64_t rest);

}  // namespace tallyman
