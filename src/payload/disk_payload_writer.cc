#include "payload/disk_payload_writer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tallyman {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;
// The disk starts on this much at a time while more comes in, so that a checkpoint waits
// for the last few MiB only.
constexpr std::uint64_t kWritebackBytes = 8 << 20;

}  // namespace

DiskPayloadWriter::DiskPayloadWriter(DiskPayloadFiles files, File data, File index,
                                     PayloadState checkpoint)
    : files_(std::move(files)),
      data_(std::move(data)),
      index_(std::move(index)),
      checkpoint_(std::move(checkpoint)),
      pending_(checkpoint_),
      written_(checkpoint_.offset),
      writeback_from_(checkpoint_.offset) {}

Result<void> DiskPayloadWriter::refuse_after_error() const {
  if (!failed_) return {};
  return Error{ErrorCode::kUnavailable,
               data_.path() + " could not be written; go on from the last checkpoint"};
}

Error DiskPayloadWriter::failed(Error error) {
  failed_ = true;
  // A full disk gets its room back now, not when somebody resumes. While the state is in
  // doubt it may count these bytes.
  if (!state_in_doubt_) (void)data_.truncate(checkpoint_.offset);
  return error;
}

Result<void> DiskPayloadWriter::append(std::string_view bytes) {
  CHECK(!checkpoint_.sealed);
  TALLY_TRY(refuse_after_error());
  while (!bytes.empty()) {
    if (buffer_.empty() && bytes.size() >= kBufferBytes) return write(bytes);
    const std::size_t room = kBufferBytes - buffer_.size();
    buffer_.append(bytes.substr(0, room));
    bytes.remove_prefix(std::min(room, bytes.size()));
    if (buffer_.size() == kBufferBytes) {
      TALLY_TRY(write(buffer_));
      buffer_.clear();
    }
  }
  return {};
}

Result<void> DiskPayloadWriter::write(std::string_view bytes) {
  if (auto done = data_.write(written_, bytes); !done.ok()) {
    return failed(std::move(done).error());
  }
  written_ += bytes.size();
  if (written_ - writeback_from_ >= kWritebackBytes) {
    data_.start_writeback(writeback_from_, written_ - writeback_from_);
    writeback_from_ = written_;
  }
  return {};
}

void DiskPayloadWriter::add_pieces(const std::vector<Piece>& pieces) {
  CHECK(!checkpoint_.sealed);
  for (const Piece& piece : pieces) append_entry(piece, new_entries_, pending_);
}

Result<void> DiskPayloadWriter::checkpoint(std::string_view splitter_state) {
  CHECK(!checkpoint_.sealed);
  PayloadState state = pending_;
  state.splitter_state = splitter_state;
  return store(std::move(state));
}

Result<void> DiskPayloadWriter::seal() {
  if (checkpoint_.sealed) return {};
  PayloadState state = pending_;
  state.sealed = true;
  return store(std::move(state));
}

Result<void> DiskPayloadWriter::store(PayloadState state) {
  TALLY_TRY(refuse_after_error());
  state.offset = offset();
  if (auto stored = store_in_order(state); !stored.ok()) {
    return failed(std::move(stored).error());
  }
  checkpoint_ = std::move(state);
  pending_ = checkpoint_;
  new_entries_.clear();
  return {};
}

Result<void> DiskPayloadWriter::store_in_order(const PayloadState& state) {
  TALLY_TRY(write(std::exchange(buffer_, {})));
  if (written_ > checkpoint_.offset) TALLY_TRY(data_.sync());
  if (!new_entries_.empty()) {
    TALLY_TRY(index_.write(checkpoint_.piece_count * kIndexEntryBytes, new_entries_));
    TALLY_TRY(index_.sync());
  }
  TALLY_TRY(files_.write_new_state(state));
  state_in_doubt_ = true;
  TALLY_TRY(files_.put_new_state_in_place());
  state_in_doubt_ = false;
  return {};
}

Result<void> DiskPayloadWriter::cut_to_checkpoint() {
  CHECK(!checkpoint_.sealed);
  failed_ = true;  // Until all of it is done.
  if (files_.is_doubtful()) return refuse_after_error();
  if (state_in_doubt_) {
    TALLY_TRY(files_.write_new_state(checkpoint_));
    TALLY_TRY(files_.put_new_state_in_place());
    state_in_doubt_ = false;
  }
  buffer_.clear();
  new_entries_.clear();
  pending_ = checkpoint_;
  TALLY_TRY(data_.truncate(checkpoint_.offset));
  TALLY_TRY(index_.truncate(checkpoint_.piece_count * kIndexEntryBytes));
  written_ = checkpoint_.offset;
  writeback_from_ = written_;
  failed_ = false;
  return {};
}

}  // namespace tallyman
