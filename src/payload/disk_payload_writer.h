// DiskPayloadWriter: the writer of DiskPayloadStore.
//
// After an error every call but cut_to_checkpoint() is refused with kUnavailable; what
// was written since the last checkpoint is given back to the disk at once. Where the new
// checkpoint is there and only its folder could not be synced, that one is refused too:
// it may have been seen, so resume() goes on from it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "payload/disk_payload_files.h"
#include "payload/file.h"
#include "payload/payload.h"

namespace tallyman {

class DiskPayloadWriter final : public PayloadWriter {
 public:
  // The files are as long as `checkpoint` says.
  DiskPayloadWriter(DiskPayloadFiles files, File data, File index,
                    PayloadState checkpoint);

  Result<void> append(std::string_view bytes) override;
  void add_pieces(const std::vector<Piece>& pieces) override;
  Result<void> checkpoint(std::string_view splitter_state) override;
  Result<void> cut_to_checkpoint() override;
  Result<void> seal() override;
  std::uint64_t offset() const override { return written_ + buffer_.size(); }
  std::uint64_t checkpointed_offset() const override { return checkpoint_.offset; }
  std::uint64_t record_count() const override { return pending_.record_count; }

 private:
  Result<void> refuse_after_error() const;
  Result<void> write(std::string_view bytes);
  Result<void> store(PayloadState state);
  Result<void> store_in_order(const PayloadState& state);
  // Remembers that something failed; gives the error back.
  Error failed(Error error);

  DiskPayloadFiles files_;
  File data_;
  File index_;
  PayloadState checkpoint_;  // The last one.
  PayloadState pending_;     // With the pieces added since.
  std::string new_entries_;  // Theirs.
  std::string buffer_;       // At most kBufferBytes, not written yet.
  std::uint64_t written_;    // Length of the data file.
  std::uint64_t writeback_from_;
  bool failed_ = false;
  // A state may have been replaced by one that is not `checkpoint_`.
  bool state_in_doubt_ = false;
};

}  // namespace tallyman
