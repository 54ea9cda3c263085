#include "payload/disk_payload_files.h"

#include <fmt/format.h>

namespace tallyman {
namespace {

Error damaged(const std::string& path) {
  return {ErrorCode::kInternal,
          path +
              " is damaged: its checksum does not hold. Restore it from a copy, or "
              "abort the job and send the upload again"};
}

bool is_not_found(const Error& error) { return error.code == ErrorCode::kNotFound; }

}  // namespace

DiskPayloadFiles::DiskPayloadFiles(File& folder, DoubtfulStates& doubtful,
                                   const JobId& job)
    : folder_(folder),
      doubtful_(doubtful),
      job_(job),
      data_(fmt::format("{}/{}.data", folder.path(), job.to_string())),
      index_(fmt::format("{}/{}.index", folder.path(), job.to_string())),
      state_(fmt::format("{}/{}.state", folder.path(), job.to_string())),
      new_state_(fmt::format("{}/{}.state-new", folder.path(), job.to_string())) {}

Result<std::optional<PayloadState>> DiskPayloadFiles::load_state() {
  TALLY_TRY(settle());
  return read_state();
}

Result<void> DiskPayloadFiles::settle() {
  if (!doubtful_.contains(job_)) return {};
  const std::lock_guard lock(doubtful_.settling());
  if (!doubtful_.contains(job_)) return {};
  TALLY_TRY_ASSIGN(const auto state, read_state());
  if (state) {
    TALLY_TRY(write_new_state(*state));
    return put_new_state_in_place();
  }
  TALLY_TRY(folder_.sync());
  doubtful_.remove(job_);
  return {};
}

Result<std::optional<PayloadState>> DiskPayloadFiles::read_state() const {
  auto file = File::open(state_, File::Mode::kRead);
  if (!file.ok()) {
    if (is_not_found(file.error())) return std::optional<PayloadState>();
    return std::move(file).error();
  }
  TALLY_TRY_ASSIGN(const std::uint64_t size, file.value().size());
  std::string bytes(size, '\0');
  TALLY_TRY(file.value().read(0, bytes));
  auto state = decode_state(bytes);
  if (!state) return damaged(state_);
  return state;
}

// A payload that is just being removed is not found; one whose state still stands has
// lost a file.
Error DiskPayloadFiles::missing(Error error) const {
  if (!is_not_found(error)) return error;
  const auto state = read_state();
  if (state.ok() && !state.value()) return error;
  error.code = ErrorCode::kInternal;
  return error;
}

Result<File> DiskPayloadFiles::open_data(const PayloadState& state,
                                         File::Mode mode) const {
  auto data = File::open(data_, mode);
  if (!data.ok()) return missing(std::move(data).error());
  TALLY_TRY_ASSIGN(const std::uint64_t size, data.value().size());
  if (size < state.offset) {
    return Error{
        ErrorCode::kInternal,
        fmt::format("{} has {} bytes, where its state counts {}. Restore it from a "
                    "copy, or abort the job and send the upload again",
                    data_, size, state.offset)};
  }
  return data;
}

Result<std::vector<Piece>> DiskPayloadFiles::load_pieces(
    const PayloadState& state) const {
  if (state.piece_count == 0) return std::vector<Piece>();
  const auto file = File::open(index_, File::Mode::kRead);
  if (!file.ok()) return missing(file.error());
  TALLY_TRY_ASSIGN(const std::uint64_t size, file.value().size());
  // Compared before the room for it is taken.
  if (size / kIndexEntryBytes < state.piece_count) return damaged(index_);
  std::string entries(state.piece_count * kIndexEntryBytes, '\0');
  TALLY_TRY(file.value().read(0, entries));
  auto pieces = decode_index(entries, state);
  if (!pieces) return damaged(index_);
  return *std::move(pieces);
}

Result<void> DiskPayloadFiles::write_new_state(const PayloadState& state) {
  TALLY_TRY_ASSIGN(File file, File::open(new_state_, File::Mode::kCreate));
  TALLY_TRY(file.write(0, encode_state(state)));
  return file.sync();
}

Result<void> DiskPayloadFiles::put_new_state_in_place() {
  TALLY_TRY(rename_file(new_state_, state_));
  auto synced = folder_.sync();
  if (synced.ok()) {
    doubtful_.remove(job_);
  } else {
    doubtful_.add(job_);
  }
  return synced;
}

Result<void> DiskPayloadFiles::remove() {
  TALLY_TRY(remove_state_and_index());
  TALLY_TRY(remove_file(data_));
  return {};
}

Result<void> DiskPayloadFiles::remove_state_and_index() {
  TALLY_TRY_ASSIGN(const bool had_state, remove_file(state_));
  if (had_state) TALLY_TRY(folder_.sync());
  TALLY_TRY(remove_file(new_state_));
  TALLY_TRY(remove_file(index_));
  doubtful_.remove(job_);
  return {};
}

}  // namespace tallyman
