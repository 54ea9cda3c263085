#include "payload/postgres_payload.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/check.h"
#include "db/postgres_database.h"
#include "payload/payload_chunk.h"
#include "payload/postgres_payload_rows.h"
#include "payload/postgres_payload_writer.h"

namespace tallyman {
namespace {

class PostgresPayloadReader final : public PayloadReader {
 public:
  PostgresPayloadReader(db::Database& database, const JobId& job, std::int64_t payload,
                        std::vector<Piece> pieces, const PayloadState& state)
      : database_(database),
        job_(job),
        payload_(payload),
        pieces_(std::move(pieces)),
        record_count_(state.record_count),
        bytes_(state.offset) {}

  const std::vector<Piece>& pieces() const override { return pieces_; }
  std::uint64_t record_count() const override { return record_count_; }
  std::uint64_t bytes() const override { return bytes_; }

  Result<void> read(std::uint64_t offset, std::span<char> into) override {
    CHECK(offset <= bytes_ && into.size() <= bytes_ - offset);
    while (!into.empty()) {
      if (offset < held_from_ || offset - held_from_ >= held_.size()) {
        TALLY_TRY(hold(offset));
      }
      const std::string_view held =
          std::string_view(held_).substr(offset - held_from_, into.size());
      std::copy(held.begin(), held.end(), into.begin());
      into = into.subspan(held.size());
      offset += held.size();
    }
    return {};
  }

 private:
  // The chunk of the byte at `offset`, and those after it while they are small.
  Result<void> hold(std::uint64_t offset) {
    held_.clear();
    std::string bytes;
    TALLY_TRY_ASSIGN(const auto transaction, database_.begin_read());
    TALLY_TRY_ASSIGN(held_from_, load_chunks(db::postgres(*transaction), job_, payload_,
                                             offset, bytes));
    held_ = std::move(bytes);
    return {};
  }

  db::Database& database_;
  const JobId job_;
  const std::int64_t payload_;
  const std::vector<Piece> pieces_;
  const std::uint64_t record_count_;
  const std::uint64_t bytes_;
  std::uint64_t held_from_ = 0;
  std::string held_;  // Bytes from `held_from_` on.
};

}  // namespace

Result<std::unique_ptr<PayloadWriter>> PostgresPayloadStore::create(const JobId& job) {
  scratch_.remove(job);
  TALLY_TRY_ASSIGN(const auto transaction,
                   database_.begin_write(database_.writer_wait()));
  TALLY_TRY_ASSIGN(const PayloadClaim claim,
                   insert_payload(db::postgres(*transaction), job));
  TALLY_TRY(transaction->commit());
  return std::unique_ptr<PayloadWriter>(
      std::make_unique<PostgresPayloadWriter>(database_, claim, PayloadState{}));
}

Result<ResumedPayload> PostgresPayloadStore::resume(const JobId& job) {
  TALLY_TRY_ASSIGN(const auto transaction,
                   database_.begin_write(database_.writer_wait()));
  db::PostgresConnection& connection = db::postgres(*transaction);
  TALLY_TRY_ASSIGN(ClaimedPayload claimed, claim_payload(connection, job));
  PayloadState state = std::move(claimed.state).value_or(PayloadState{});
  if (state.sealed) {
    return Error{ErrorCode::kConflict, "the payload of job " + job.to_string() +
                                           " is sealed; nothing can be added to it"};
  }
  // Checked now, while the upload can still be sent again.
  TALLY_TRY(load_pieces(connection, job, claimed.claim.payload, state));
  TALLY_TRY(cut_payload(connection, claimed.claim, state));
  TALLY_TRY(transaction->commit());
  std::string splitter_state = state.splitter_state;
  return ResumedPayload{
      std::make_unique<PostgresPayloadWriter>(database_, claimed.claim, std::move(state)),
      std::move(splitter_state)};
}

Result<std::uint64_t> PostgresPayloadStore::checkpointed_offset(const JobId& job) {
  TALLY_TRY_ASSIGN(const auto transaction, database_.begin_read());
  TALLY_TRY_ASSIGN(const PayloadRow row, find_payload(db::postgres(*transaction), job));
  return row.state ? row.state->offset : 0;
}

Result<std::unique_ptr<PayloadReader>> PostgresPayloadStore::open_reader(const JobId& job,
                                                                         bool sealed) {
  TALLY_TRY_ASSIGN(const auto transaction, database_.begin_read());
  db::PostgresConnection& connection = db::postgres(*transaction);
  TALLY_TRY_ASSIGN(PayloadRow row, find_payload(connection, job));
  const PayloadState state = std::move(row.state).value_or(PayloadState{});
  if (sealed && !state.sealed) return no_payload(job);
  TALLY_TRY_ASSIGN(auto pieces, load_pieces(connection, job, row.payload, state));
  return std::unique_ptr<PayloadReader>(std::make_unique<PostgresPayloadReader>(
      database_, job, row.payload, std::move(pieces), state));
}

Result<std::unique_ptr<PayloadReader>> PostgresPayloadStore::open_unsealed(
    const JobId& job) {
  return open_reader(job, false);
}

Result<std::unique_ptr<PayloadReader>> PostgresPayloadStore::open(const JobId& job) {
  return open_reader(job, true);
}

Result<void> PostgresPayloadStore::remove(const JobId& job) {
  scratch_.remove(job);
  TALLY_TRY_ASSIGN(const auto transaction,
                   database_.begin_write(database_.writer_wait()));
  TALLY_TRY(db::postgres(*transaction)
                .execute("DELETE FROM tallyman.payload WHERE job = $1", job.to_string()));
  return transaction->commit();
}

Result<std::vector<JobId>> PostgresPayloadStore::list() {
  std::set<JobId> jobs;
  TALLY_TRY(scratch_.list(jobs));
  TALLY_TRY_ASSIGN(const auto transaction, database_.begin_read());
  TALLY_TRY_ASSIGN(const auto rows,
                   db::postgres(*transaction).exec("SELECT job FROM tallyman.payload"));
  for (int row = 0; row < rows.rows(); ++row) {
    const auto job = Uuid::parse(rows.text(row, 0));
    CHECK(job);
    jobs.insert(JobId(*job));
  }
  return std::vector<JobId>(jobs.begin(), jobs.end());
}

std::string PostgresPayloadStore::scratch_path(const JobId& job, std::string_view name) {
  return scratch_.path(job, name);
}

void PostgresPayloadStore::remove_scratch(const JobId& job) { scratch_.remove(job); }

}  // namespace tallyman
