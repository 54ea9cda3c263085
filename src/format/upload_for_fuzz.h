// What the fuzzers of all formats hold against an upload.
//
// The first bytes of the input choose limits and cuts, so that small inputs meet them;
// the rest is the upload. Invariants:
//   - pieces, header, envelope and error are the same for any cut and any restart;
//   - pieces are in order, do not overlap, and number the records without a gap;
//   - every piece can be read, and every record's own text lies inside its piece;
//   - a record that is read alone reads as it does among the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "format/upload_for_tests.h"

namespace tallyman::for_fuzz {

using for_tests::SplitUpload;
using for_tests::Upload;

// Takes the choices off the front of `data`.
inline std::size_t choose(std::string_view& data, std::size_t below) {
  if (data.empty() || below == 0) return 0;
  const auto byte = static_cast<unsigned char>(data.front());
  data.remove_prefix(1);
  return byte % below;
}

struct FuzzUpload {
  Upload upload;
  std::size_t first_cut;
  std::size_t second_cut;
};

inline FuzzUpload fuzz_upload(ContentType type, std::string_view data) {
  const std::size_t record_bytes_max = 1 + choose(data, 64);
  const std::size_t piece_bytes_max = record_bytes_max + choose(data, 64);
  const std::size_t records_max = 1 + choose(data, 8);
  const std::size_t unclosed_quotes_max = choose(data, 8);
  const std::size_t first = choose(data, 256);
  const std::size_t second = choose(data, 256);
  FuzzUpload fuzz{Upload(type, std::string(data), record_bytes_max, piece_bytes_max),
                  std::min({first, second, data.size()}),
                  std::min(std::max(first, second), data.size())};
  fuzz.upload.limits.piece_records_max = static_cast<std::uint32_t>(records_max);
  fuzz.upload.limits.unclosed_quotes_max =
      static_cast<std::uint32_t>(unclosed_quotes_max);
  fuzz.upload.limits.envelope_bytes_max = 32;
  return fuzz;
}

inline void check_pieces(const SplitUpload& parts, const Upload& upload) {
  std::uint64_t end = 0;
  std::uint64_t records = 0;
  for (const Piece& piece : parts.pieces) {
    CHECK(piece.offset >= end && piece.length > 0 && piece.record_count > 0);
    CHECK(piece.first_record == records);
    CHECK(piece.record_count <= upload.limits.piece_records_max);
    CHECK(piece.length <= upload.limits.piece_bytes_max ||
          piece.kind == PieceKind::kTooLarge);
    end = piece.offset + piece.length;
    records += piece.record_count;
  }
  CHECK(end <= upload.bytes.size());
}

inline void check_alone(const Upload& upload, std::string_view raw,
                        const std::string& shown, RecordReader& reader) {
  Upload alone = upload;
  alone.bytes = std::string(raw);
  // The record's own last byte may be a CR, which is then not its line end.
  if (upload.format.type == ContentType::kNdjson) alone.bytes += '\r';
  const auto batch = for_tests::read_piece(
      alone, {.length = alone.bytes.size(), .record_count = 1}, reader);
  CHECK(batch->size() == 1 && batch->raw(0) == raw);
  CHECK(for_tests::show(*batch, 0) == shown);
}

inline void check_reading(const SplitUpload& parts, const Upload& upload) {
  RecordReader reader(
      {.format = upload.format,
       .columns = parts.header.value_or(for_tests::Strings{"a", "b", "data"}),
       .scalar_column = upload.format.type == ContentType::kCsv ? -1 : 1,
       .record_bytes_max = upload.limits.record_bytes_max});
  for (const Piece& piece : parts.pieces) {
    const auto batch = for_tests::read_piece(upload, piece, reader);
    CHECK(batch->size() == piece.record_count);
    const std::string_view bytes =
        std::string_view(upload.bytes).substr(piece.offset, piece.length);
    for (std::size_t i = 0; i < batch->size(); ++i) {
      CHECK(!batch->raw(i).empty() &&
            bytes.find(batch->raw(i)) != std::string_view::npos);
      const std::string shown = for_tests::show(*batch, i);
      if (piece.kind == PieceKind::kRecords)
        check_alone(upload, batch->raw(i), shown, reader);
    }
  }
}

inline void check_upload(ContentType type, std::string_view data) {
  const FuzzUpload fuzz = fuzz_upload(type, data);
  const SplitUpload whole = for_tests::split(fuzz.upload);
  check_pieces(whole, fuzz.upload);
  CHECK(for_tests::split(fuzz.upload, {fuzz.first_cut, fuzz.second_cut}) == whole);
  CHECK(for_tests::split_with_restarts(fuzz.upload, {fuzz.first_cut, fuzz.second_cut}) ==
        whole);
  check_reading(whole, fuzz.upload);
}

}  // namespace tallyman::for_fuzz
