// DiskPayloadStore: uploads as files of one folder.
//
//   TALLY_TRY_ASSIGN(const auto payloads, DiskPayloadStore::open("/var/lib/tallyman"));
//
//   JOB.data         the bytes
//   JOB.index        where the pieces are; grows with them (payload_state.h)
//   JOB.state        what of both counts; replaced whole at each checkpoint
//   JOB.state-new    the next state, until it is renamed
//
// One process, or several on a folder that they share (a network file system with locks):
// a writer holds a lock on JOB.data, and a second one of the same job is refused.
//
// A checkpoint goes bytes -> index -> state, each durable before the next is touched;
// what lies past the state is cut off when the payload is resumed. So a crash between any
// two steps leaves the last checkpoint or the new one, never something between.
//
// Ownership: readers and writers must not outlive the store.
// Memory:    a writer: 1 MiB, and 32 bytes for each piece since the last checkpoint; a
//            reader: 32 bytes for each piece.
// Errors:    as payload/payload.h; kInternal names the file that is damaged.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "payload/disk_payload_files.h"
#include "payload/file.h"
#include "payload/payload.h"
#include "payload/scratch_folder.h"

namespace tallyman {

class DiskPayloadStore final : public PayloadStore {
 public:
  // Makes the folder (its parent must be there), for its owner only; scratch files lie in
  // its folder "scratch". REQUIRES: no other process uses it.
  static Result<std::unique_ptr<DiskPayloadStore>> open(const std::string& folder);
  // The same, with scratch files elsewhere. Other processes may use the folder.
  static Result<std::unique_ptr<DiskPayloadStore>> open_shared(const std::string& folder,
                                                               ScratchFolder scratch);

  Result<std::unique_ptr<PayloadWriter>> create(const JobId& job) override;
  Result<ResumedPayload> resume(const JobId& job) override;
  Result<std::uint64_t> checkpointed_offset(const JobId& job) override;
  Result<std::unique_ptr<PayloadReader>> open_unsealed(const JobId& job) override;
  Result<std::unique_ptr<PayloadReader>> open(const JobId& job) override;
  Result<void> remove(const JobId& job) override;
  Result<std::vector<JobId>> list() override;
  std::string scratch_path(const JobId& job, std::string_view name) override;
  void remove_scratch(const JobId& job) override;

 private:
  DiskPayloadStore(File folder, ScratchFolder scratch);

  File folder_;
  DoubtfulStates doubtful_;
  ScratchFolder scratch_;
};

}  // namespace tallyman
