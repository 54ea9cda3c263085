// PostgresPayloadWriter: the writer of PostgresPayloadStore.
//
// Bytes are compressed as they come in and go to the database a batch at a time, sent by
// another thread while the next batch comes in, each in a short transaction of its own:
// no connection is held for a sender that is slow. They count once a checkpoint, which is
// one transaction too, has stored the state that counts them.
//
// After an error every call but cut_to_checkpoint() is refused with kUnavailable; after a
// commit whose answer was lost that one is refused too, for the checkpoint may have been
// seen: resume() goes on from what is there.
#pragma once

#include <future>
#include <string>
#include <string_view>
#include <vector>

#include "payload/payload.h"
#include "payload/postgres_payload_rows.h"

namespace tallyman {

class PostgresPayloadWriter final : public PayloadWriter {
 public:
  // Nothing lies past the checkpoint. The database outlives this.
  PostgresPayloadWriter(db::Database& database, PayloadClaim claim,
                        PayloadState checkpoint);

  Result<void> append(std::string_view bytes) override;
  void add_pieces(const std::vector<Piece>& pieces) override;
  Result<void> checkpoint(std::string_view splitter_state) override;
  Result<void> cut_to_checkpoint() override;
  Result<void> seal() override;
  std::uint64_t offset() const override { return encoded_ + held_.size(); }
  std::uint64_t checkpointed_offset() const override { return checkpoint_.offset; }
  std::uint64_t record_count() const override { return pending_.record_count; }

 private:
  Result<void> refuse_after_error() const;
  // What is held of the upload becomes a chunk.
  void encode_held();
  Result<void> send_batch();
  Result<void> wait_for_batch();
  Result<void> store(PayloadState state);
  Result<void> commit(const PayloadState& state);

  db::Database& database_;
  const PayloadClaim claim_;
  PayloadState checkpoint_;          // The last one.
  PayloadState pending_;             // With the pieces added since.
  std::string new_entries_;          // Theirs.
  std::string held_;                 // Less than a chunk.
  std::uint64_t encoded_;            // Bytes before those.
  std::vector<StoredChunk> chunks_;  // The last of them, not sent yet.
  std::uint64_t sent_;               // Bytes before those of `chunks_`.
  std::future<Result<void>> batch_;  // On its way; or not valid.
  bool failed_ = false;
  bool in_doubt_ = false;  // A commit may have taken place, or not.
};

}  // namespace tallyman
