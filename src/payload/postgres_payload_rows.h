// The rows of one payload (postgres_payload_schema.h): what its writer stores, and how
// its bytes and its index are read. Every function works in a transaction of the
// caller's.
//
// Errors: as payload/payload.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "db/postgres.h"
#include "model/ids.h"
#include "payload/payload_chunk.h"
#include "payload/payload_state.h"

namespace tallyman {

// Who writes: a payload's row has the number of its last writer, and whoever writes
// checks in each transaction that it is still its own.
struct PayloadClaim {
  JobId job;
  std::int64_t payload = 0;
  std::int64_t writer = 0;
};

struct PayloadRow {
  std::int64_t payload = 0;
  std::optional<PayloadState> state;  // Nothing: no checkpoint was made.
};

Error no_payload(const JobId& job);
Error damaged_payload(const JobId& job, std::string_view what);

// kNotFound where there is none.
Result<PayloadRow> find_payload(db::PostgresConnection& connection, const JobId& job);
// In place of what there is.
Result<PayloadClaim> insert_payload(db::PostgresConnection& connection, const JobId& job);
// Takes it from whoever wrote it, and waits for what that one is storing. kNotFound.
struct ClaimedPayload {
  PayloadClaim claim;
  std::optional<PayloadState> state;
};
Result<ClaimedPayload> claim_payload(db::PostgresConnection& connection,
                                     const JobId& job);

// A transaction that keeps the payload for this writer until it ends; kLost where it is
// another's already.
Result<std::unique_ptr<db::Transaction>> begin_as_writer(db::Database& database,
                                                         const PayloadClaim& claim);

// These three only in a transaction that holds the claim.
Result<void> store_chunks(db::PostgresConnection& connection, const PayloadClaim& claim,
                          std::uint64_t first_byte, std::span<const StoredChunk> chunks);
Result<void> store_state(db::PostgresConnection& connection, const PayloadClaim& claim,
                         const PayloadState& before, const PayloadState& state,
                         std::string_view new_entries);
// What lies past the checkpoint.
Result<void> cut_payload(db::PostgresConnection& connection, const PayloadClaim& claim,
                         const PayloadState& checkpoint);

// kInternal where the index is not what the state counted.
Result<std::vector<Piece>> load_pieces(db::PostgresConnection& connection,
                                       const JobId& job, std::int64_t payload,
                                       const PayloadState& state);

// The bytes of the chunk that `offset` lies in, and of those after it while they are
// small (less than two chunks of the largest kind in all); returns where they begin.
// kNotFound where they were removed.
Result<std::uint64_t> load_chunks(db::PostgresConnection& connection, const JobId& job,
                                  std::int64_t payload, std::uint64_t offset,
                                  std::string& into);

}  // namespace tallyman
