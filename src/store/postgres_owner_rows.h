// What an owner has, as rows of PostgreSQL tables: jobs that have not ended, and what
// their uploads take.
//
// The bytes are a number of their own (tallyman.owner), changed by the same transaction
// that changes the job: to sum them over all jobs would take longer with every job. The
// owner's row is also what those who count its open jobs take turns by.
//
// Each function works within the transaction that the connection is in.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/postgres.h"
#include "model/job.h"

namespace tallyman {

// Fewer than `open_jobs_max` jobs of the owner have not ended. Looks at no more of them.
// Who else asks waits until the transaction ends.
Result<bool> has_fewer_open_jobs(db::PostgresConnection& connection,
                                 std::string_view owner, std::uint64_t open_jobs_max);
Result<std::vector<JobId>> read_open_jobs(db::PostgresConnection& connection,
                                          std::string_view owner);

Result<std::uint64_t> read_stored_bytes(db::PostgresConnection& connection,
                                        std::string_view owner);
// The upload of `job` is complete: kTooLarge where its owner's would take more than
// `stored_bytes_max`.
Result<void> store_bytes(db::PostgresConnection& connection, const Job& job,
                         std::optional<std::uint64_t> stored_bytes_max);
// The upload of `job` goes. Nothing where it never was complete, or is gone already.
Result<void> unstore_bytes(db::PostgresConnection& connection, const Job& job);

// Gives the job that starts its stretch of the common clock (store/owner_share.h).
Result<void> take_share(db::PostgresConnection& connection, const Job& job,
                        std::int64_t cost);
// Takes back what it did not use of it.
Result<void> give_share_back(db::PostgresConnection& connection, const Job& job,
                             std::int64_t rest);

}  // namespace tallyman
