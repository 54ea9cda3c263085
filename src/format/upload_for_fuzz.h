// What the fuzzers of all formats hold against an upload.
//
// The first bytes of the input choose limits, delimiter and cuts, so that small inputs
// meet them; the rest is the upload. Invariants:
//   - pieces, header, envelope and error are the same for any cut and any restart;
//   - pieces are in order, do not overlap, and number the records without a gap;
//   - every piece can be read; the records' own texts tile the upload: between two of
//     them stands what parts records in that format, and nothing else;
//   - a record that is read alone reads as it does among the others;
//   - a record that is written and read again is the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "format/csv_text.h"
#include "format/csv_writer.h"
#include "format/json_record_writer.h"
#include "format/upload_for_tests.h"

namespace tallyman::for_fuzz {

using for_tests::SplitUpload;
using for_tests::Upload;

// Takes the choices off the front of `data`.
inline std::size_t choose(std::string_view& data, std::size_t below = 256) {
  if (data.empty()) return 0;
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
  const std::size_t unclosed_quotes_and_delimiter = choose(data);
  const std::size_t first = choose(data);
  const std::size_t second = choose(data);
  FuzzUpload fuzz{Upload(type, std::string(data), record_bytes_max, piece_bytes_max),
                  std::min({first, second, data.size()}),
                  std::min(std::max(first, second), data.size())};
  fuzz.upload.limits.piece_records_max = static_cast<std::uint32_t>(records_max);
  fuzz.upload.limits.unclosed_quotes_max = unclosed_quotes_and_delimiter % 8;
  fuzz.upload.format.delimiter = ",;\t|"[unclosed_quotes_and_delimiter / 8 % 4];
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

inline std::shared_ptr<const RecordBatch> read_alone(const InputFormat& format,
                                                     std::string_view raw,
                                                     RecordReader& reader) {
  Upload alone(format.type, std::string(raw));
  // The record's own last byte may be a CR, which is then not its line end.
  if (format.type == ContentType::kNdjson) alone.bytes += '\r';
  auto batch = for_tests::read_piece(
      alone, {.length = alone.bytes.size(), .record_count = 1}, reader);
  CHECK(batch->size() == 1 && batch->raw(0) == raw);
  return batch;
}

inline std::string write(const InputFormat& format,
                         const std::vector<std::string>& columns,
                         std::span<const Cell> cells) {
  std::string text;
  if (format.type != ContentType::kCsv) {
    append_json_record(text, columns, cells);
    return text;
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) text += format.delimiter;
    switch (cells[i].kind) {
      case CellKind::kNull: text += format.null_value; break;
      case CellKind::kText:
        append_csv_cell(text, cells[i].text(), format.delimiter);
        break;
      case CellKind::kQuotedText: append_csv_quoted(text, cells[i].text()); break;
      default: CHECK(false);
    }
  }
  return text;
}

// Quotes are a matter of writing, and so is white space inside JSON.
inline bool same_value(const Cell& read, const Cell& again) {
  const auto is_text = [](const Cell& cell) {
    return cell.kind == CellKind::kText || cell.kind == CellKind::kQuotedText;
  };
  if (is_text(read) && is_text(again)) return read.text() == again.text();
  if (read.kind != again.kind) return false;
  if (read.kind != CellKind::kJson) return read.text() == again.text();
  std::string text;
  append_json_value(text, read);
  return text == again.text();
}

inline void check_written(const InputFormat& format,
                          const std::vector<std::string>& columns,
                          std::span<const Cell> cells, RecordReader& reader) {
  const auto again = read_alone(format, write(format, columns, cells), reader);
  CHECK(again->fault(0) == nullptr);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    CHECK(same_value(cells[i], again->record(0)[i]));
  }
}

// What stands between two records, or around the first and the last of a piece.
inline void check_gap(ContentType type, std::string_view gap, bool parts_records) {
  const bool json = type == ContentType::kJson;
  const std::string_view allowed = type == ContentType::kCsv ? "\r\n"
                                   : json                    ? ", \t\r\n"
                                                             : " \t\r\n";
  CHECK(gap.find_first_not_of(allowed) == std::string_view::npos);
  const auto separators = std::count_if(gap.begin(), gap.end(), [&](char byte) {
    return json ? byte == ',' : byte == '\n' || byte == '\r';
  });
  CHECK(parts_records ? separators > 0 : separators == 0 || !json);
  CHECK(!json || separators <= 1);
}

// `begin`: where the bytes of the batch lie.
inline void check_tiles(const RecordBatch& batch, const char* begin, ContentType type) {
  const char* done = begin;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::string_view raw = batch.raw(i);
    CHECK(!raw.empty() && raw.data() >= done);
    check_gap(type, {done, static_cast<std::size_t>(raw.data() - done)}, i > 0);
    done = raw.data() + raw.size();
  }
  const char* const end = begin + batch.piece().length;
  CHECK(done <= end && (done == end || batch.piece().kind == PieceKind::kRecords));
  check_gap(type, {done, static_cast<std::size_t>(end - done)}, false);
}

// What stands before the first record: the mark, and the header line or a bracket.
inline void check_front(const SplitUpload& parts, const Upload& upload) {
  std::string_view front =
      std::string_view(upload.bytes).substr(0, parts.pieces.front().offset);
  if (front.starts_with("\xEF\xBB\xBF")) front.remove_prefix(3);
  if (upload.format.type == ContentType::kNdjson) {
    check_gap(upload.format.type, front, false);
  } else if (upload.format.type == ContentType::kCsv) {
    const std::size_t begin = front.find_first_not_of("\r\n");
    const std::size_t end = front.find_last_not_of("\r\n") + 1;
    CHECK(begin < end && end < front.size());
    std::vector<CsvText> cells;
    CHECK(split_csv_record(front.substr(begin, end - begin), upload.format.delimiter,
                           cells));
    CHECK(cells.size() == parts.header->size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      CHECK(cells[i].text == (*parts.header)[i]);
    }
  } else if (!parts.envelope && parts.error.empty()) {
    CHECK(front.find_first_not_of("[ \t\r\n") == std::string_view::npos);
    CHECK(front.find('[') == front.rfind('['));
  }
}

inline void check_between(const SplitUpload& parts, const Upload& upload) {
  if (parts.pieces.empty()) return;
  check_front(parts, upload);
  std::uint64_t done = parts.pieces.front().offset;
  for (const Piece& piece : parts.pieces) {
    check_gap(upload.format.type,
              std::string_view(upload.bytes).substr(done, piece.offset - done),
              piece.first_record > 0);
    done = piece.offset + piece.length;
  }
}

// As read_piece(), but tells where the batch's bytes lie.
inline std::shared_ptr<const RecordBatch> read_and_tile(const Upload& upload,
                                                        const Piece& piece,
                                                        RecordReader& reader) {
  auto bytes = std::make_unique<char[]>(piece.length + RecordBatch::kPadding);
  std::memcpy(bytes.get(), upload.bytes.data() + piece.offset, piece.length);
  const char* const begin = bytes.get();
  auto batch = reader.read(piece, std::move(bytes));
  CHECK(batch.ok());
  check_tiles(*batch.value(), begin, upload.format.type);
  return std::move(batch).value();
}

inline void check_reading(const SplitUpload& parts, const Upload& upload) {
  const auto columns = parts.header.value_or(for_tests::Strings{"a", "b", "data"});
  RecordReader reader({.format = upload.format,
                       .columns = columns,
                       .scalar_column = upload.format.type == ContentType::kCsv ? -1 : 1,
                       .record_bytes_max = upload.limits.record_bytes_max});
  for (const Piece& piece : parts.pieces) {
    if (piece.kind == PieceKind::kTooLarge) {
      CHECK(for_tests::read_piece(upload, piece, reader)->fault(0) != nullptr);
      continue;
    }
    const auto batch = read_and_tile(upload, piece, reader);
    CHECK(batch->size() == piece.record_count);
    if (piece.kind != PieceKind::kRecords) continue;
    for (std::size_t i = 0; i < batch->size(); ++i) {
      const auto alone = read_alone(upload.format, batch->raw(i), reader);
      CHECK(for_tests::show(*alone, 0) == for_tests::show(*batch, i));
      if (batch->fault(i) == nullptr) {
        check_written(upload.format, columns, batch->record(i), reader);
      }
    }
  }
}

inline void check_upload(ContentType type, std::string_view data) {
  const FuzzUpload fuzz = fuzz_upload(type, data);
  const SplitUpload whole = for_tests::split(fuzz.upload);
  check_pieces(whole, fuzz.upload);
  check_between(whole, fuzz.upload);
  CHECK(for_tests::split(fuzz.upload, {fuzz.first_cut, fuzz.second_cut}) == whole);
  CHECK(for_tests::split_with_restarts(fuzz.upload, {fuzz.first_cut, fuzz.second_cut}) ==
        whole);
  check_reading(whole, fuzz.upload);
}

}  // namespace tallyman::for_fuzz
