// BatchStream: a payload read back as batches of records, from any record on.
//
//   BatchStream stream(std::move(payload), options);
//   stream.seek(RecordNumber(40'001));
//   while (true) {
//     TALLY_TRY_ASSIGN(const auto part, stream.next());
//     if (!part) break;
//     for (std::size_t i = part->begin; i < part->batch->size(); ++i) ...
//   }
//
// Threads: not thread-safe. Memory: one piece; a batch lives as long as somebody holds
// it.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "format/record_reader.h"
#include "model/ids.h"
#include "model/record_batch.h"
#include "payload/payload.h"

namespace tallyman {

class BatchStream {
 public:
  BatchStream(std::unique_ptr<PayloadReader> payload, RecordReader::Options options);

  struct Part {
    std::shared_ptr<const RecordBatch> batch;
    std::size_t begin = 0;         // The first record that was not given out before.
    RecordNumber first_record{1};  // The number of that record.
  };

  // Goes on at `record`; past the last one, next() gives nothing.
  void seek(RecordNumber record);

  // The next piece's records; nothing at the end.
  Result<std::optional<Part>> next();

  PayloadReader& payload() { return *payload_; }

 private:
  std::unique_ptr<PayloadReader> payload_;
  RecordReader reader_;
  std::uint64_t record_bytes_max_;
  std::size_t piece_ = 0;  // The next piece to read ...
  std::size_t skip_ = 0;   // ... and how many of its records are passed over.
};

}  // namespace tallyman
