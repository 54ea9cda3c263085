// Splitter: finds where records end, while the bytes of an upload come in.
//
//   auto splitter = make_splitter(format, limits);
//   for (each chunk) {
//     TALLY_TRY(splitter->push(chunk));
//     for (const Piece& piece : splitter->take_pieces()) index.add(piece);
//   }
//   TALLY_TRY(splitter->finish());  // then take_pieces() once more
//
// What ends a record:
//   CSV     LF, CR LF or CR outside quotes. A quote opens only at the start of a cell
//           (elsewhere it is text); inside, "" is one quote. Text after a closing quote
//           breaks the record: it ends at the next line end, whatever quotes come before
//           it. A line with no byte in it is no record. The first record is the header.
//   NDJSON  LF (or CR LF). A line of white space alone is no record.
//   JSON    the comma or bracket after an element of the top-level array whose brackets
//           balance, even where it does not parse. A top-level object is one record, or,
//           when its member "data" is an array and the resource has no field of that
//           name, the envelope: the elements of "data" are the records and the other
//           members (in any order) are given out by envelope().
// A UTF-8 byte order mark at the start of the upload is dropped.
//
// Longer than record_bytes_max: the record becomes a piece of its own, kTooLarge. In CSV,
// when the limit is passed inside quotes, the record ends at the first line end after its
// opening quote and scanning resumes there; the end of the input inside quotes is the
// same rule (kUnclosedQuote). When the limit is passed outside quotes, or no line end has
// come since the opening quote, the record ends at the next line end, whatever quotes
// come before it. NDJSON and JSON: it ends where it ends.
//
// The pieces are the same wherever the stream is cut.
//
// Ownership: copies what it needs of a chunk; `bytes` may die right after push().
// Threads:   not thread-safe; one upload, one splitter, one thread at a time.
// Memory:    at most record_bytes_max + one chunk; nothing grows with the upload.
// Errors:    kUnreadable  the upload cannot be read as what it says it is (JSON that does
//                         not balance or goes on after its end, a header line that is not
//                         UTF-8, longer than record_bytes_max or of more cells than
//                         record_cells_max ...). Names the byte.
//            kTooLarge    unclosed_quotes_max passed; envelope longer than its limit.
//            After an error the splitter stays in error.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/content.h"
#include "model/limits.h"
#include "model/piece.h"

namespace tallyman {

struct SplitLimits {
  std::uint64_t record_bytes_max = limits::kRecordBytesMax;
  std::size_t record_cells_max = limits::kRecordCellsMax;  // Of a header line.
  std::uint64_t piece_bytes_max = limits::kPieceBytesMax;  // >= record_bytes_max.
  std::uint32_t piece_records_max = limits::kPieceRecordsMax;
  std::uint64_t piece_cells_max = limits::kPieceCellsMax;
  std::uint32_t unclosed_quotes_max = limits::kUnclosedQuotesMax;
  std::uint64_t envelope_bytes_max = limits::kEnvelopeBytesMax;
  // What the records will be read into: of NDJSON and JSON the resource's fields. Of CSV
  // the header says it.
  std::size_t columns = 1;
  bool data_is_a_field = false;  // JSON: the resource has a field "data", so no envelope.
};

class Splitter {
 public:
  virtual ~Splitter() = default;

  // The next bytes of the decoded upload.
  virtual Result<void> push(std::string_view bytes) = 0;

  // No more bytes will come: the last record may lack its end.
  virtual Result<void> finish() = 0;

  // The pieces that were completed since the last call, in order. A piece is completed
  // when the next record would not fit into it any more, or by finish().
  virtual std::vector<Piece> take_pieces() = 0;

  // CSV: the cells of the header line, unquoted, as soon as it has arrived whole.
  virtual const std::optional<std::vector<std::string>>& header() const = 0;

  // JSON: the members of the envelope but "data", as one JSON object; after finish().
  virtual const std::optional<std::string>& envelope() const = 0;

  // A small text from which restore_splitter() goes on: the state at resume_offset().
  virtual std::string checkpoint() const = 0;

  // The end of the last piece that was taken, or 0.
  virtual std::uint64_t resume_offset() const = 0;
};

std::unique_ptr<Splitter> make_splitter(const InputFormat& format,
                                        const SplitLimits& limits);

struct RestoredSplitter {
  std::unique_ptr<Splitter> splitter;
  // Push the upload again from this byte on: splitter->resume_offset().
  std::uint64_t resume_offset;
};

// kUnreadable where `checkpoint` was not written by checkpoint() for this format.
Result<RestoredSplitter> restore_splitter(const InputFormat& format,
                                          const SplitLimits& limits,
                                          std::string_view checkpoint);

}  // namespace tallyman
