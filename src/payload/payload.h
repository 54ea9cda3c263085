// Payload: where the bytes of uploads lie, with the index of their pieces.
//
//   TALLY_TRY_ASSIGN(auto writer, payloads.create(job));
//   TALLY_TRY(writer->append(bytes));
//   writer->add_pieces(splitter->take_pieces());
//   TALLY_TRY(writer->checkpoint(splitter->checkpoint()));  // now it may be acknowledged
//   TALLY_TRY(writer->seal());                              // before Upload Complete
//
// A checkpoint makes bytes durable first, then (offset, splitter state, pieces) together;
// resume() cuts the payload to the last checkpoint. A sealed payload never changes.
//
// Of two writers of one job (two nodes, or a request that was cut off and the next one)
// at most one can make a checkpoint: a place either refuses the second writer, or takes
// the payload from the first, whose calls then fail.
//
// Implementations: DiskPayloadStore, PostgresPayloadStore. All pass
// payload/payload_conformance.h.
//
// Threads: PayloadStore: any. A writer or a reader: one at a time.
// Errors:  kNotFound     no payload for that job
//          kLost         somebody else writes the payload; nothing of this is stored
//          kOutOfSpace   the disk is full; the payload is as at the last checkpoint
//          kUnavailable  the disk does not answer (EIO)
//          kInternal     a checksum does not hold
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "model/piece.h"

namespace tallyman {

class PayloadWriter {
 public:
  virtual ~PayloadWriter() = default;
  // After an error only cut_to_checkpoint() does anything.
  virtual Result<void> append(std::string_view bytes) = 0;
  virtual void add_pieces(const std::vector<Piece>& pieces) = 0;
  // What was appended and added so far survives a crash, with `splitter_state`.
  virtual Result<void> checkpoint(std::string_view splitter_state) = 0;
  // Back to the last checkpoint (a part that could not be read whole).
  virtual Result<void> cut_to_checkpoint() = 0;
  // Makes a last checkpoint of what was appended and added; from now on the payload never
  // changes. Only the counts of this writer may be asked for afterwards.
  virtual Result<void> seal() = 0;
  virtual std::uint64_t offset() const = 0;  // Bytes appended.
  virtual std::uint64_t checkpointed_offset() const = 0;
  virtual std::uint64_t record_count() const = 0;  // In the pieces added.
};

class PayloadReader {
 public:
  virtual ~PayloadReader() = default;
  virtual const std::vector<Piece>& pieces() const = 0;
  virtual std::uint64_t record_count() const = 0;
  virtual std::uint64_t bytes() const = 0;
  // Fills `into` from `offset` on. REQUIRES: inside the payload.
  virtual Result<void> read(std::uint64_t offset, std::span<char> into) = 0;
};

struct ResumedPayload {
  std::unique_ptr<PayloadWriter> writer;
  std::string splitter_state;  // Of the last checkpoint; empty: none was made.
};

class PayloadStore {
 public:
  virtual ~PayloadStore() = default;
  // In place of whatever the job had. Until the first checkpoint a crash may leave
  // nothing.
  virtual Result<std::unique_ptr<PayloadWriter>> create(const JobId& job) = 0;
  // kConflict where it is sealed.
  virtual Result<ResumedPayload> resume(const JobId& job) = 0;
  // Of the last checkpoint; 0 where none was made.
  virtual Result<std::uint64_t> checkpointed_offset(const JobId& job) = 0;
  // What the last checkpoint covers, to feed a restored splitter. A writer may go on
  // meanwhile.
  virtual Result<std::unique_ptr<PayloadReader>> open_unsealed(const JobId& job) = 0;
  // REQUIRES nothing; kNotFound unless sealed.
  virtual Result<std::unique_ptr<PayloadReader>> open(const JobId& job) = 0;
  // Fine where there is none.
  virtual Result<void> remove(const JobId& job) = 0;
  // Every job that something lies here for.
  virtual Result<std::vector<JobId>> list() = 0;
  // A path for a file that a worker needs while it runs the job (keys, spools); removed
  // with the payload and by remove_scratch().
  virtual std::string scratch_path(const JobId& job, std::string_view name) = 0;
  virtual void remove_scratch(const JobId& job) = 0;
};

}  // namespace tallyman
