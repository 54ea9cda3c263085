#include "payload/postgres_payload_rows.h"

#include "db/postgres_database.h"

namespace tallyman {
namespace {

using db::PostgresConnection;
using db::PostgresParams;

Error lost_payload(const JobId& job) {
  return {ErrorCode::kLost, "the upload of job " + job.to_string() +
                                " was taken over by another request, or is gone"};
}

// Of the binary form.
Result<std::optional<PayloadState>> state_of(const db::PostgresResult& rows, int column,
                                             const JobId& job) {
  if (rows.is_null(0, column)) return std::optional<PayloadState>();
  auto state = decode_state(rows.text(0, column));
  if (!state) return damaged_payload(job, "state");
  return state;
}

// A bigint of the binary form.
std::int64_t wire_integer(const db::PostgresResult& rows, int column, int row = 0) {
  return static_cast<std::int64_t>(db::read_wire64(rows.text(row, column)));
}

}  // namespace

Error no_payload(const JobId& job) {
  return {ErrorCode::kNotFound, "job " + job.to_string() + " has no payload"};
}

Error damaged_payload(const JobId& job, std::string_view what) {
  return {ErrorCode::kInternal, "the " + std::string(what) + " of the payload of job " +
                                    job.to_string() +
                                    " is damaged. Restore the database from a copy, or "
                                    "abort the job and send the upload again"};
}

Result<PayloadRow> find_payload(PostgresConnection& connection, const JobId& job) {
  PostgresParams params;
  params.add(job.to_string());
  TALLY_TRY_ASSIGN(
      const auto rows,
      connection.execute_params("SELECT id, state FROM tallyman.payload WHERE job = $1",
                                params, true));
  if (rows.rows() == 0) return no_payload(job);
  TALLY_TRY_ASSIGN(auto state, state_of(rows, 1, job));
  return PayloadRow{.payload = wire_integer(rows, 0), .state = std::move(state)};
}

Result<PayloadClaim> insert_payload(PostgresConnection& connection, const JobId& job) {
  const std::string id = job.to_string();
  while (true) {
    TALLY_TRY(connection.execute("DELETE FROM tallyman.payload WHERE job = $1", id));
    TALLY_TRY_ASSIGN(const auto rows,
                     connection.execute("INSERT INTO tallyman.payload (job) VALUES ($1) "
                                        "ON CONFLICT (job) DO NOTHING RETURNING id",
                                        id));
    // None: another one was inserted between the two; it is seen, and removed, now.
    if (rows.rows() == 1) {
      return PayloadClaim{.job = job, .payload = rows.integer(0, 0), .writer = 1};
    }
  }
}

Result<ClaimedPayload> claim_payload(PostgresConnection& connection, const JobId& job) {
  PostgresParams params;
  params.add(job.to_string());
  TALLY_TRY_ASSIGN(const auto rows, connection.execute_params(
                                        "UPDATE tallyman.payload SET writer = writer + 1 "
                                        "WHERE job = $1 RETURNING id, writer, state",
                                        params, true));
  if (rows.rows() == 0) return no_payload(job);
  TALLY_TRY_ASSIGN(auto state, state_of(rows, 2, job));
  return ClaimedPayload{.claim = {.job = job,
                                  .payload = wire_integer(rows, 0),
                                  .writer = wire_integer(rows, 1)},
                        .state = std::move(state)};
}

Result<std::unique_ptr<db::Transaction>> begin_as_writer(db::Database& database,
                                                         const PayloadClaim& claim) {
  TALLY_TRY_ASSIGN(auto transaction, database.begin_write(database.writer_wait()));
  TALLY_TRY_ASSIGN(const auto rows,
                   db::postgres(*transaction)
                       .execute("SELECT FROM tallyman.payload "
                                "WHERE id = $1 AND writer = $2 FOR NO KEY UPDATE",
                                claim.payload, claim.writer));
  if (rows.rows() == 0) return lost_payload(claim.job);
  return transaction;
}

Result<void> store_chunks(PostgresConnection& connection, const PayloadClaim& claim,
                          std::uint64_t first_byte, std::span<const StoredChunk> chunks) {
  for (const StoredChunk& chunk : chunks) {
    PostgresParams params;
    params.add(claim.payload);
    params.add(first_byte);
    params.add(chunk.byte_count);
    params.add(chunk.form);
    params.add_view(db::kByteaOid, chunk.bytes);
    TALLY_TRY(connection.execute_params(
        "INSERT INTO tallyman.payload_chunk "
        "(payload, first_byte, byte_count, form, bytes) VALUES ($1, $2, $3, $4, $5)",
        params));
    first_byte += chunk.byte_count;
  }
  return {};
}

Result<void> store_state(PostgresConnection& connection, const PayloadClaim& claim,
                         const PayloadState& before, const PayloadState& state,
                         std::string_view new_entries) {
  if (!new_entries.empty()) {
    PostgresParams params;
    params.add(claim.payload);
    params.add(before.piece_count);
    params.add_view(db::kByteaOid, new_entries);
    TALLY_TRY(connection.execute_params(
        "INSERT INTO tallyman.payload_piece (payload, first_piece, entries) "
        "VALUES ($1, $2, $3)",
        params));
  }
  const std::string encoded = encode_state(state);
  PostgresParams params;
  params.add(claim.payload);
  params.add_view(db::kByteaOid, encoded);
  TALLY_TRY(connection.execute_params(
      "UPDATE tallyman.payload SET state = $2 WHERE id = $1", params));
  return {};
}

Result<void> cut_payload(PostgresConnection& connection, const PayloadClaim& claim,
                         const PayloadState& checkpoint) {
  TALLY_TRY(connection.execute(
      "DELETE FROM tallyman.payload_chunk WHERE payload = $1 AND first_byte >= $2",
      claim.payload, checkpoint.offset));
  TALLY_TRY(connection.execute(
      "DELETE FROM tallyman.payload_piece WHERE payload = $1 AND first_piece >= $2",
      claim.payload, checkpoint.piece_count));
  return {};
}

Result<std::vector<Piece>> load_pieces(PostgresConnection& connection, const JobId& job,
                                       std::int64_t payload, const PayloadState& state) {
  if (state.piece_count == 0) return std::vector<Piece>();
  PostgresParams params;
  params.add(payload);
  params.add(state.piece_count);
  TALLY_TRY_ASSIGN(const auto rows,
                   connection.execute_params(
                       "SELECT entries FROM tallyman.payload_piece WHERE payload = $1 "
                       "AND first_piece < $2 ORDER BY first_piece",
                       params, true));
  std::string entries;
  for (int row = 0; row < rows.rows(); ++row) entries += rows.text(row, 0);
  auto pieces = decode_index(entries, state);
  if (!pieces) return damaged_payload(job, "index");
  return *std::move(pieces);
}

Result<std::uint64_t> load_chunks(PostgresConnection& connection, const JobId& job,
                                  std::int64_t payload, std::uint64_t offset,
                                  std::string& into) {
  PostgresParams params;
  params.add(payload);
  params.add(offset);
  params.add(kChunkBytesMax);
  TALLY_TRY_ASSIGN(
      const auto rows,
      connection.execute_params(
          "SELECT first_byte, byte_count::bigint, form::bigint, bytes "
          "FROM tallyman.payload_chunk, (SELECT max(first_byte) AS place "
          "FROM tallyman.payload_chunk WHERE payload = $1 AND first_byte <= $2) AS held "
          "WHERE payload = $1 AND first_byte >= held.place "
          "AND first_byte < held.place + $3::bigint ORDER BY first_byte",
          params, true));
  if (rows.rows() == 0) return no_payload(job);
  const auto first_byte = static_cast<std::uint64_t>(wire_integer(rows, 0));
  into.clear();
  for (int row = 0; row < rows.rows(); ++row) {
    const std::int64_t place = wire_integer(rows, 0, row);
    const std::int64_t count = wire_integer(rows, 1, row);
    const std::size_t end = into.size();
    if (static_cast<std::uint64_t>(place) != first_byte + end || count <= 0 ||
        static_cast<std::uint64_t>(count) > kChunkBytesMax) {
      break;  // What is missing is told below, where it is asked for.
    }
    into.resize(end + static_cast<std::size_t>(count));
    if (!decode_chunk(wire_integer(rows, 2, row), rows.text(row, 3),
                      std::span(into).subspan(end))) {
      return damaged_payload(job, "data");
    }
  }
  if (offset - first_byte >= into.size()) return damaged_payload(job, "data");
  return first_byte;
}

}  // namespace tallyman
