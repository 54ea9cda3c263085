// What tests and fuzzers do with a small upload: cut it, split it, read it.
//
//   const Upload upload(ContentType::kCsv, "a,b\n1,2\n");
//   EXPECT_EQ(show_pieces(upload), Strings{"0+1:1,2"});
//   EXPECT_EQ(split(upload, {3}), split(upload));      // cut before byte 3
//   EXPECT_EQ(read(upload), Strings{"1|2"});
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "format/record_reader.h"
#include "format/splitter.h"

namespace tallyman::for_tests {

using Strings = std::vector<std::string>;

struct Upload {
  Upload(ContentType type, std::string text, std::uint64_t record_bytes_max = 1 << 20,
         std::uint64_t piece_bytes_max = 1 << 20)
      : bytes(std::move(text)) {
    format.type = type;
    limits.record_bytes_max = record_bytes_max;
    limits.piece_bytes_max = std::max(record_bytes_max, piece_bytes_max);
  }

  InputFormat format;
  SplitLimits limits;
  std::string bytes;
};

// All that a splitter has to say of an upload.
struct SplitUpload {
  std::vector<Piece> pieces;
  std::optional<Strings> header;
  std::optional<std::string> envelope;
  std::string error;

  friend bool operator==(const SplitUpload&, const SplitUpload&) = default;
};

inline SplitUpload finish(Splitter& splitter, std::vector<Piece> pieces,
                          Result<void> result) {
  if (result.ok()) result = splitter.finish();
  for (const Piece& piece : splitter.take_pieces()) pieces.push_back(piece);
  return {.pieces = std::move(pieces),
          .header = splitter.header(),
          .envelope = splitter.envelope(),
          .error = result.ok() ? "" : result.error().message};
}

// `cuts`: ascending places; the upload is pushed in the parts between them.
inline SplitUpload split(const Upload& upload,
                         const std::vector<std::size_t>& cuts = {}) {
  const auto splitter = make_splitter(upload.format, upload.limits);
  std::vector<Piece> pieces;
  Result<void> result;
  std::size_t done = 0;
  const auto push = [&](std::size_t end) {
    if (!result.ok()) return;
    // In memory of its own, so that a look past its end or after its life is seen.
    const std::vector<char> part(upload.bytes.begin() + static_cast<std::ptrdiff_t>(done),
                                 upload.bytes.begin() + static_cast<std::ptrdiff_t>(end));
    result = splitter->push({part.data(), part.size()});
    for (const Piece& piece : splitter->take_pieces()) pieces.push_back(piece);
    done = end;
  };
  for (const std::size_t cut : cuts) push(cut);
  push(upload.bytes.size());
  return finish(*splitter, std::move(pieces), std::move(result));
}

// Stops at each cut and goes on in a splitter that was made from the checkpoint.
inline SplitUpload split_with_restarts(const Upload& upload,
                                       const std::vector<std::size_t>& cuts) {
  const std::string_view bytes = upload.bytes;
  auto splitter = make_splitter(upload.format, upload.limits);
  std::vector<Piece> pieces;
  std::uint64_t resume_offset = 0;
  for (const std::size_t cut : cuts) {
    // An error is told again by the next splitter, or by finish().
    const auto result = splitter->push(bytes.substr(resume_offset, cut - resume_offset));
    static_cast<void>(result.ok());
    for (const Piece& piece : splitter->take_pieces()) pieces.push_back(piece);
    auto restored =
        restore_splitter(upload.format, upload.limits, splitter->checkpoint());
    CHECK(restored.ok());
    resume_offset = restored.value().resume_offset;
    CHECK(resume_offset == splitter->resume_offset());
    CHECK(resume_offset ==
          (pieces.empty() ? 0 : pieces.back().offset + pieces.back().length));
    splitter = std::move(restored).value().splitter;
  }
  auto result = splitter->push(bytes.substr(resume_offset));
  return finish(*splitter, std::move(pieces), std::move(result));
}

// The pieces in short, "first_record+count:bytes" with a mark for the kind, and the
// error.
inline Strings show_pieces(const Upload& upload) {
  const SplitUpload parts = split(upload);
  Strings texts;
  for (const Piece& piece : parts.pieces) {
    const char* mark = piece.kind == PieceKind::kTooLarge        ? "!large "
                       : piece.kind == PieceKind::kUnclosedQuote ? "!quote "
                                                                 : "";
    texts.push_back(mark + std::to_string(piece.first_record) + "+" +
                    std::to_string(piece.record_count) + ":" +
                    upload.bytes.substr(piece.offset, piece.length));
  }
  if (!parts.error.empty()) texts.push_back("ERROR " + parts.error);
  return texts;
}

inline std::shared_ptr<const RecordBatch> read_piece(const Upload& upload,
                                                     const Piece& piece,
                                                     RecordReader& reader) {
  const std::uint64_t length =
      piece.kind == PieceKind::kTooLarge
          ? std::min(piece.length, upload.limits.record_bytes_max)
          : piece.length;
  auto bytes = std::make_unique<char[]>(length + RecordBatch::kPadding);
  std::memcpy(bytes.get(), upload.bytes.data() + piece.offset, length);
  auto batch = reader.read(piece, std::move(bytes));
  CHECK(batch.ok());
  return std::move(batch).value();
}

inline std::string show(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::kAbsent: return "-";
    case CellKind::kNull: return "NULL";
    case CellKind::kText: return std::string(cell.text());
    case CellKind::kQuotedText: return "'" + std::string(cell.text()) + "'";
    case CellKind::kNumber: return "#" + std::string(cell.text());
    case CellKind::kTrue: return "TRUE";
    case CellKind::kFalse: return "FALSE";
    case CellKind::kJson: return "~" + std::string(cell.text());
  }
  CHECK(false);
}

// "1|'two'|NULL", or "!MALFORMED_RECORD field: message".
inline std::string show(const RecordBatch& batch, std::size_t record) {
  if (const RecordError* fault = batch.fault(record)) {
    for (const Cell& cell : batch.record(record)) CHECK(cell.kind == CellKind::kAbsent);
    return "!" + std::string(name(fault->code)) + " " + fault->field + ": " +
           fault->message;
  }
  std::string text;
  for (const Cell& cell : batch.record(record)) {
    if (&cell != batch.record(record).data()) text += '|';
    text += show(cell);
  }
  return text;
}

// Every record of the upload, shown. `columns` of NDJSON and JSON.
inline Strings read(const Upload& upload, const Strings& columns = {},
                    int scalar_column = -1) {
  const SplitUpload parts = split(upload);
  if (!parts.error.empty()) return {"ERROR " + parts.error};
  RecordReader reader({.format = upload.format,
                       .columns = parts.header.value_or(columns),
                       .scalar_column = scalar_column,
                       .record_bytes_max = upload.limits.record_bytes_max});
  Strings records;
  for (const Piece& piece : parts.pieces) {
    const auto batch = read_piece(upload, piece, reader);
    for (std::size_t i = 0; i < batch->size(); ++i) records.push_back(show(*batch, i));
  }
  return records;
}

// The same, and the records' own text.
inline Strings raw_records(const Upload& upload) {
  const SplitUpload parts = split(upload);
  RecordReader reader({.format = upload.format,
                       .columns = parts.header.value_or(Strings()),
                       .record_bytes_max = upload.limits.record_bytes_max});
  Strings records;
  for (const Piece& piece : parts.pieces) {
    const auto batch = read_piece(upload, piece, reader);
    for (std::size_t i = 0; i < batch->size(); ++i) records.emplace_back(batch->raw(i));
  }
  return records;
}

}  // namespace tallyman::for_tests
