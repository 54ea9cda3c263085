#include "payload/disk_payload.h"

#include <filesystem>
#include <optional>
#include <set>
#include <system_error>

#include "base/check.h"
#include "payload/disk_payload_files.h"
#include "payload/disk_payload_writer.h"

namespace tallyman {
namespace {

class DiskPayloadReader final : public PayloadReader {
 public:
  DiskPayloadReader(File data, std::vector<Piece> pieces, const PayloadState& state)
      : data_(std::move(data)),
        pieces_(std::move(pieces)),
        record_count_(state.record_count),
        bytes_(state.offset) {}

  const std::vector<Piece>& pieces() const override { return pieces_; }
  std::uint64_t record_count() const override { return record_count_; }
  std::uint64_t bytes() const override { return bytes_; }
  Result<void> read(std::uint64_t offset, std::span<char> into) override {
    CHECK(offset <= bytes_ && into.size() <= bytes_ - offset);
    return data_.read(offset, into);
  }

 private:
  File data_;
  std::vector<Piece> pieces_;
  std::uint64_t record_count_;
  std::uint64_t bytes_;
};

Error no_payload(const JobId& job) {
  return {ErrorCode::kNotFound, "job " + job.to_string() + " has no payload"};
}

Error sealed_payload(const JobId& job) {
  return {ErrorCode::kConflict, "the payload of job " + job.to_string() +
                                    " is sealed; nothing can be added to it"};
}

Result<std::unique_ptr<PayloadReader>> open_reader(const DiskPayloadFiles& files,
                                                   const PayloadState& state) {
  TALLY_TRY_ASSIGN(File data, files.open_data(state, File::Mode::kRead));
  data.will_be_read_in_order();
  TALLY_TRY_ASSIGN(std::vector<Piece> pieces, files.load_pieces(state));
  return std::unique_ptr<PayloadReader>(
      std::make_unique<DiskPayloadReader>(std::move(data), std::move(pieces), state));
}

// The state, or an empty one where no checkpoint was made yet. kNotFound where nothing
// is.
Result<PayloadState> load_state_or_none(DiskPayloadFiles& files, const JobId& job) {
  TALLY_TRY_ASSIGN(std::optional<PayloadState> state, files.load_state());
  if (state) return *std::move(state);
  const auto data = File::open(files.data(), File::Mode::kRead);
  if (data.ok()) return PayloadState{};
  return data.error().code == ErrorCode::kNotFound ? no_payload(job) : data.error();
}

Result<void> lock_for_writer(File& data, const JobId& job) {
  TALLY_TRY_ASSIGN(const bool locked, data.try_lock());
  if (locked) return {};
  return Error{ErrorCode::kLost, "another request writes the upload of job " +
                                     job.to_string() + "; wait for its answer"};
}

}  // namespace

DiskPayloadStore::DiskPayloadStore(File folder, ScratchFolder scratch)
    : folder_(std::move(folder)), scratch_(std::move(scratch)) {}

Result<std::unique_ptr<DiskPayloadStore>> DiskPayloadStore::open(
    const std::string& path) {
  TALLY_TRY(make_folder(path));
  TALLY_TRY_ASSIGN(ScratchFolder scratch, ScratchFolder::open(path + "/scratch"));
  return open_shared(path, std::move(scratch));
}

Result<std::unique_ptr<DiskPayloadStore>> DiskPayloadStore::open_shared(
    const std::string& path, ScratchFolder scratch) {
  TALLY_TRY(make_folder(path));
  TALLY_TRY_ASSIGN(File folder, File::open(path, File::Mode::kFolder));
  TALLY_TRY_ASSIGN(File parent, File::open(path + "/..", File::Mode::kFolder));
  TALLY_TRY(folder.sync());
  TALLY_TRY(parent.sync());
  return std::unique_ptr<DiskPayloadStore>(
      new DiskPayloadStore(std::move(folder), std::move(scratch)));
}

Result<std::unique_ptr<PayloadWriter>> DiskPayloadStore::create(const JobId& job) {
  DiskPayloadFiles files(folder_, doubtful_, job);
  TALLY_TRY_ASSIGN(File data, File::open(files.data(), File::Mode::kReadWriteOrCreate));
  TALLY_TRY(lock_for_writer(data, job));
  TALLY_TRY(files.remove_state_and_index());
  TALLY_TRY(data.truncate(0));
  remove_scratch(job);
  TALLY_TRY_ASSIGN(File index, File::open(files.index(), File::Mode::kCreate));
  return std::unique_ptr<PayloadWriter>(std::make_unique<DiskPayloadWriter>(
      std::move(files), std::move(data), std::move(index), PayloadState{}));
}

Result<ResumedPayload> DiskPayloadStore::resume(const JobId& job) {
  DiskPayloadFiles files(folder_, doubtful_, job);
  TALLY_TRY_ASSIGN(PayloadState state, load_state_or_none(files, job));
  if (state.sealed) return sealed_payload(job);
  TALLY_TRY_ASSIGN(File data, files.open_data(state, File::Mode::kReadWrite));
  TALLY_TRY(lock_for_writer(data, job));
  // Once more: whoever held the lock may have gone on.
  TALLY_TRY_ASSIGN(state, load_state_or_none(files, job));
  if (state.sealed) return sealed_payload(job);
  // Checked now, while the upload can still be sent again.
  TALLY_TRY(files.load_pieces(state));
  TALLY_TRY_ASSIGN(File index, File::open(files.index(), File::Mode::kReadWriteOrCreate));
  TALLY_TRY(data.truncate(state.offset));
  TALLY_TRY(index.truncate(state.piece_count * kIndexEntryBytes));
  // A crash may have come after the state was renamed and before that was durable.
  TALLY_TRY(folder_.sync());
  std::string splitter_state = state.splitter_state;
  return ResumedPayload{
      std::make_unique<DiskPayloadWriter>(std::move(files), std::move(data),
                                          std::move(index), std::move(state)),
      std::move(splitter_state)};
}

Result<std::uint64_t> DiskPayloadStore::checkpointed_offset(const JobId& job) {
  DiskPayloadFiles files(folder_, doubtful_, job);
  TALLY_TRY_ASSIGN(const PayloadState state, load_state_or_none(files, job));
  TALLY_TRY(folder_.sync());  // As in resume(): this offset is told to the sender.
  return state.offset;
}

Result<std::unique_ptr<PayloadReader>> DiskPayloadStore::open_unsealed(const JobId& job) {
  DiskPayloadFiles files(folder_, doubtful_, job);
  TALLY_TRY_ASSIGN(const PayloadState state, load_state_or_none(files, job));
  return open_reader(files, state);
}

Result<std::unique_ptr<PayloadReader>> DiskPayloadStore::open(const JobId& job) {
  DiskPayloadFiles files(folder_, doubtful_, job);
  TALLY_TRY_ASSIGN(const std::optional<PayloadState> state, files.load_state());
  if (!state || !state->sealed) return no_payload(job);
  return open_reader(files, *state);
}

Result<void> DiskPayloadStore::remove(const JobId& job) {
  DiskPayloadFiles files(folder_, doubtful_, job);
  TALLY_TRY(files.remove());
  remove_scratch(job);
  return {};
}

Result<std::vector<JobId>> DiskPayloadStore::list() {
  std::set<JobId> jobs;
  TALLY_TRY(list_jobs(folder_.path(), jobs));
  TALLY_TRY(scratch_.list(jobs));
  return std::vector<JobId>(jobs.begin(), jobs.end());
}

std::string DiskPayloadStore::scratch_path(const JobId& job, std::string_view name) {
  return scratch_.path(job, name);
}

void DiskPayloadStore::remove_scratch(const JobId& job) { scratch_.remove(job); }

}  // namespace tallyman
