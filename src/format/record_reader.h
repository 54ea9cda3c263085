// RecordReader: the bytes of a piece to a RecordBatch.
//
// A record that cannot be read is a fault in the batch, not an error of the call:
//   MALFORMED_RECORD  CSV: not as many cells as the header ("3 cells, the header has 2"),
//                     text after a closing quote, not UTF-8, a NUL byte. JSON: does not
//                     parse (every value is looked at), not an object, a key twice, not
//                     UTF-8, a lone surrogate or U+0000 in a text, nested deeper than
//                     limits::kRecordDepthMax.
//   UNKNOWN_FIELD     JSON: a key that is none of the columns; names the nearest one.
//   RECORD_TOO_LARGE  the piece says so; names the limit.
// The message names field, rule and limit, never the value.
//
// Ownership: read() takes the bytes; the batch is the caller's.
// Threads:   read() is not thread-safe; use one reader a thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/content.h"
#include "model/piece.h"
#include "model/record_batch.h"

namespace tallyman {

class RecordReader {
 public:
  struct Options {
    InputFormat format;
    // CSV: the header's cells. NDJSON, JSON: the names that are known.
    std::vector<std::string> columns;
    // JSON: the column that a record takes that is a bare number or text (a delete job's
    // array of ids); -1: such a record is MALFORMED_RECORD.
    int scalar_column = -1;
    std::uint64_t record_bytes_max = 1 << 20;
  };

  explicit RecordReader(Options options);
  ~RecordReader();

  // `bytes` holds piece.length bytes (of a kTooLarge piece at most its first
  // record_bytes_max) and then RecordBatch::kPadding bytes that the reader may zero.
  // kInternal when the bytes do not hold piece.record_count records: the payload was
  // changed behind our back.
  Result<std::shared_ptr<const RecordBatch>> read(const Piece& piece,
                                                  std::unique_ptr<char[]> bytes);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tallyman
