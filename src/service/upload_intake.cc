#include "service/upload_intake.h"

#include <algorithm>
#include <array>

namespace tallyman {
namespace {

constexpr std::size_t kChunkBytes = 256 << 10;
// How much may have to be sent again after a crash in the middle of a long part.
constexpr std::uint64_t kCheckpointBytes = 64 << 20;

// Pushes [from, to) of a payload through a splitter, a chunk at a time.
Result<void> feed(PayloadReader& payload, std::uint64_t from, std::uint64_t to,
                  Splitter& splitter) {
  std::vector<char> buffer(kChunkBytes);
  for (std::uint64_t offset = from; offset < to;) {
    const std::size_t length = std::min<std::uint64_t>(buffer.size(), to - offset);
    TALLY_TRY(payload.read(offset, {buffer.data(), length}));
    TALLY_TRY(splitter.push({buffer.data(), length}));
    offset += length;
  }
  return {};
}

Error too_long(std::uint64_t bytes_max) {
  return {ErrorCode::kTooLarge, "the upload is longer than upload_bytes_max (" +
                                    std::to_string(bytes_max) +
                                    " bytes); send it as several jobs"};
}

}  // namespace

UploadIntake::UploadIntake(Options options, std::unique_ptr<PayloadWriter> writer,
                           std::unique_ptr<Splitter> splitter)
    : options_(std::move(options)),
      writer_(std::move(writer)),
      splitter_(std::move(splitter)) {}

Result<std::unique_ptr<UploadIntake>> UploadIntake::start_over(PayloadStore& payloads,
                                                               const JobId& job,
                                                               Options options) {
  TALLY_TRY_ASSIGN(auto writer, payloads.create(job));
  auto splitter = make_splitter(options.format, options.split);
  return std::unique_ptr<UploadIntake>(
      new UploadIntake(std::move(options), std::move(writer), std::move(splitter)));
}

Result<std::unique_ptr<UploadIntake>> UploadIntake::open(PayloadStore& payloads,
                                                         const JobId& job,
                                                         Options options) {
  auto resumed = payloads.resume(job);
  if (!resumed.ok() && resumed.error().code == ErrorCode::kNotFound) {
    return start_over(payloads, job, std::move(options));
  }
  if (!resumed.ok()) return std::move(resumed).error();
  ResumedPayload payload = std::move(resumed).value();
  if (payload.splitter_state.empty()) {
    payload.writer.reset();  // It may hold a lock.
    return start_over(payloads, job, std::move(options));
  }

  TALLY_TRY_ASSIGN(
      RestoredSplitter restored,
      restore_splitter(options.format, options.split, payload.splitter_state));
  if (restored.resume_offset < payload.writer->offset()) {
    TALLY_TRY_ASSIGN(auto reader, payloads.open_unsealed(job));
    TALLY_TRY(feed(*reader, restored.resume_offset, payload.writer->offset(),
                   *restored.splitter));
  }
  return std::unique_ptr<UploadIntake>(new UploadIntake(
      std::move(options), std::move(payload.writer), std::move(restored.splitter)));
}

Result<void> UploadIntake::receive(const ByteSource& source, bool all_or_nothing,
                                   ContentHash* hash) {
  std::vector<char> buffer(kChunkBytes);
  while (true) {
    auto read = source(buffer);
    if (!read.ok()) {
      const bool keep = !all_or_nothing && is_transient(read.error().code);
      TALLY_TRY(keep ? checkpoint() : writer_->cut_to_checkpoint());
      return std::move(read).error();
    }
    const std::string_view bytes(buffer.data(), read.value());
    if (bytes.empty()) return {};
    if (hash) hash->update(bytes);
    if (auto taken = take(bytes); !taken.ok()) {
      TALLY_TRY(writer_->cut_to_checkpoint());
      return taken;
    }
    if (!all_or_nothing &&
        writer_->offset() - writer_->checkpointed_offset() >= kCheckpointBytes) {
      TALLY_TRY(checkpoint());
    }
  }
}

Result<void> UploadIntake::take(std::string_view bytes) {
  if (writer_->offset() + bytes.size() > options_.upload_bytes_max) {
    return too_long(options_.upload_bytes_max);
  }
  TALLY_TRY(options_.may_grow_to(writer_->offset() + bytes.size()));
  TALLY_TRY(splitter_->push(bytes));
  TALLY_TRY(judge());
  TALLY_TRY(writer_->append(bytes));
  writer_->add_pieces(splitter_->take_pieces());
  return judge_records();
}

Result<void> UploadIntake::judge_records() const {
  const auto& max = options_.records_max;
  if (!max || writer_->record_count() <= max->records) return {};
  return Error{ErrorCode::kTooLarge,
               "the upload has more than " + std::string(max->setting) + " (" +
                   std::to_string(max->records) + ") " + std::string(max->what),
               std::string(max->detail_code)};
}

Result<void> UploadIntake::judge() {
  if (header_judged_ || !splitter_->header()) return {};
  header_judged_ = true;
  return options_.judge_header(*splitter_->header());
}

Result<void> UploadIntake::checkpoint() {
  return writer_->checkpoint(splitter_->checkpoint());
}

Result<UploadReceived> UploadIntake::finish() {
  TALLY_TRY(splitter_->finish());
  TALLY_TRY(judge());
  writer_->add_pieces(splitter_->take_pieces());
  TALLY_TRY(judge_records());
  TALLY_TRY(writer_->seal());
  return UploadReceived{
      .total_items = writer_->record_count(),
      .upload_bytes = writer_->offset(),
      .columns = splitter_->header().value_or(std::vector<std::string>()),
      .envelope = splitter_->envelope()};
}

Result<UploadReceived> UploadIntake::read_again(PayloadReader& sealed, Options options) {
  const auto splitter = make_splitter(options.format, options.split);
  TALLY_TRY(feed(sealed, 0, sealed.bytes(), *splitter));
  TALLY_TRY(splitter->finish());
  return UploadReceived{
      .total_items = sealed.record_count(),
      .upload_bytes = sealed.bytes(),
      .columns = splitter->header().value_or(std::vector<std::string>()),
      .envelope = splitter->envelope()};
}

}  // namespace tallyman
