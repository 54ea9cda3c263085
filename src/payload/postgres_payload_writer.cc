#include "payload/postgres_payload_writer.h"

#include <utility>

#include "base/check.h"
#include "db/postgres_database.h"
#include "payload/payload_chunk.h"

namespace tallyman {
namespace {

// Two batches are in memory: one comes in, one goes out.
constexpr std::size_t kBatchChunks = 2;

// Not durable yet when this returns: the commit of the checkpoint that counts these bytes
// waits for the disk, for them too.
Result<void> store_batch(db::Database& database, const PayloadClaim& claim,
                         std::uint64_t first_byte,
                         const std::vector<StoredChunk>& chunks) {
  TALLY_TRY_ASSIGN(const auto transaction, begin_as_writer(database, claim));
  db::PostgresConnection& connection = db::postgres(*transaction);
  TALLY_TRY(connection.exec("SET LOCAL synchronous_commit = off"));
  TALLY_TRY(store_chunks(connection, claim, first_byte, chunks));
  return transaction->commit();
}

}  // namespace

PostgresPayloadWriter::PostgresPayloadWriter(db::Database& database, PayloadClaim claim,
                                             PayloadState checkpoint)
    : database_(database),
      claim_(claim),
      checkpoint_(std::move(checkpoint)),
      pending_(checkpoint_),
      encoded_(checkpoint_.offset),
      sent_(checkpoint_.offset) {}

Result<void> PostgresPayloadWriter::refuse_after_error() const {
  if (!failed_) return {};
  return Error{ErrorCode::kUnavailable,
               "the upload of job " + claim_.job.to_string() +
                   " could not be written; go on from the last checkpoint"};
}

Result<void> PostgresPayloadWriter::append(std::string_view bytes) {
  CHECK(!checkpoint_.sealed);
  TALLY_TRY(refuse_after_error());
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kChunkBytesMax - held_.size());
    held_ += part;
    bytes.remove_prefix(part.size());
    if (held_.size() < kChunkBytesMax) break;
    encode_held();
    if (chunks_.size() == kBatchChunks) TALLY_TRY(send_batch());
  }
  return {};
}

void PostgresPayloadWriter::encode_held() {
  if (held_.empty()) return;
  chunks_.push_back(encode_chunk(held_));
  encoded_ += held_.size();
  held_.clear();
}

Result<void> PostgresPayloadWriter::send_batch() {
  TALLY_TRY(wait_for_batch());
  batch_ =
      std::async(std::launch::async, [&database = database_, claim = claim_, from = sent_,
                                      chunks = std::exchange(chunks_, {})] {
        return store_batch(database, claim, from, chunks);
      });
  sent_ = encoded_;
  return {};
}

Result<void> PostgresPayloadWriter::wait_for_batch() {
  if (!batch_.valid()) return {};
  Result<void> stored = batch_.get();
  if (!stored.ok()) failed_ = true;
  return stored;
}

void PostgresPayloadWriter::add_pieces(const std::vector<Piece>& pieces) {
  CHECK(!checkpoint_.sealed);
  for (const Piece& piece : pieces) append_entry(piece, new_entries_, pending_);
}

Result<void> PostgresPayloadWriter::checkpoint(std::string_view splitter_state) {
  CHECK(!checkpoint_.sealed);
  PayloadState state = pending_;
  state.splitter_state = splitter_state;
  return store(std::move(state));
}

Result<void> PostgresPayloadWriter::seal() {
  if (checkpoint_.sealed) return {};
  PayloadState state = pending_;
  state.sealed = true;
  return store(std::move(state));
}

Result<void> PostgresPayloadWriter::store(PayloadState state) {
  TALLY_TRY(refuse_after_error());
  state.offset = offset();
  if (auto stored = commit(state); !stored.ok()) {
    failed_ = true;
    return stored;
  }
  sent_ = encoded_;
  chunks_.clear();
  new_entries_.clear();
  checkpoint_ = std::move(state);
  pending_ = checkpoint_;
  return {};
}

Result<void> PostgresPayloadWriter::commit(const PayloadState& state) {
  encode_held();
  TALLY_TRY(wait_for_batch());
  TALLY_TRY_ASSIGN(const auto transaction, begin_as_writer(database_, claim_));
  db::PostgresConnection& connection = db::postgres(*transaction);
  TALLY_TRY(store_chunks(connection, claim_, sent_, chunks_));
  TALLY_TRY(store_state(connection, claim_, checkpoint_, state, new_entries_));
  in_doubt_ = true;
  TALLY_TRY(transaction->commit());
  in_doubt_ = false;
  return {};
}

Result<void> PostgresPayloadWriter::cut_to_checkpoint() {
  CHECK(!checkpoint_.sealed);
  // Whether it was stored does not matter any more.
  (void)wait_for_batch().ok();
  failed_ = true;  // Until all of it is done.
  if (in_doubt_) return refuse_after_error();
  TALLY_TRY_ASSIGN(const auto transaction, begin_as_writer(database_, claim_));
  TALLY_TRY(cut_payload(db::postgres(*transaction), claim_, checkpoint_));
  TALLY_TRY(transaction->commit());
  held_.clear();
  chunks_.clear();
  new_entries_.clear();
  pending_ = checkpoint_;
  encoded_ = checkpoint_.offset;
  sent_ = checkpoint_.offset;
  failed_ = false;
  return {};
}

}  // namespace tallyman
