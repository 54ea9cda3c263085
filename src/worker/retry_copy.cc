#include "worker/retry_copy.h"

#include <vector>

#include "format/splitter.h"
#include "store/ledger_units.h"

namespace tallyman {
namespace {

constexpr std::size_t kSendBytes = 256 << 10;

// What the owner's other uploads leave of stored_bytes_per_owner_max.
struct Room {
  std::string owner;
  std::uint64_t stored_bytes = 0;
  std::uint64_t stored_bytes_max = 0;

  Result<void> require(std::uint64_t bytes) const {
    if (stored_bytes + bytes <= stored_bytes_max) return {};
    return stored_bytes_exceeded(owner, stored_bytes, stored_bytes_max);
  }
};

// Puts records into a payload, in the form that their content type has.
class RecordSink {
 public:
  RecordSink(std::unique_ptr<PayloadWriter> writer, std::unique_ptr<Splitter> splitter,
             ContentType type, Room room)
      : writer_(std::move(writer)),
        splitter_(std::move(splitter)),
        type_(type),
        room_(std::move(room)) {}

  Result<void> begin(std::string_view csv_header) {
    if (type_ == ContentType::kCsv) {
      buffer_ += csv_header;
      buffer_ += '\n';
    } else if (type_ == ContentType::kJson) {
      buffer_ += '[';
    }
    return {};
  }

  Result<void> add(std::string_view raw) {
    if (type_ == ContentType::kJson && count_ > 0) buffer_ += ',';
    buffer_ += raw;
    if (type_ != ContentType::kJson) buffer_ += '\n';
    ++count_;
    return buffer_.size() < kSendBytes ? Result<void>() : send();
  }

  Result<CompletedUpload> end() {
    if (type_ == ContentType::kJson) buffer_ += ']';
    TALLY_TRY(send());
    TALLY_TRY(splitter_->finish());
    writer_->add_pieces(splitter_->take_pieces());
    TALLY_TRY(writer_->checkpoint(splitter_->checkpoint()));
    TALLY_TRY(writer_->seal());
    if (writer_->record_count() != count_) {
      return Error{ErrorCode::kInternal,
                   "the copied records read back as another number of records (was "
                   "record_bytes_max changed?)"};
    }
    return CompletedUpload{
        .total_items = count_,
        .upload_bytes = writer_->offset(),
        .columns = splitter_->header().value_or(std::vector<std::string>()),
        .fingerprint = {},
        .operation = std::nullopt,
        .options = std::nullopt,
        .stored_bytes_max = room_.stored_bytes_max};
  }

 private:
  Result<void> send() {
    TALLY_TRY(room_.require(writer_->offset() + buffer_.size()));
    TALLY_TRY(splitter_->push(buffer_));
    TALLY_TRY(writer_->append(buffer_));
    writer_->add_pieces(splitter_->take_pieces());
    buffer_.clear();
    return {};
  }

  std::unique_ptr<PayloadWriter> writer_;
  std::unique_ptr<Splitter> splitter_;
  ContentType type_;
  const Room room_;
  std::string buffer_;
  std::uint64_t count_ = 0;
};

// The parent's header line, as it was sent.
Result<std::string> csv_header(PayloadReader& payload, const Job& parent) {
  if (parent.options.format.type != ContentType::kCsv) return std::string();
  const std::uint64_t end =
      payload.pieces().empty() ? payload.bytes() : payload.pieces().front().offset;
  std::string header(end, '\0');
  TALLY_TRY(payload.read(0, header));
  while (header.ends_with('\n') || header.ends_with('\r')) header.pop_back();
  return header;
}

bool can_stand_among_others(const RecordWithOutcome& record) {
  return record.batch->piece().kind == PieceKind::kRecords;
}

// Which records of the parent were applied by a later record with the same key.
class Superseded {
 public:
  Superseded(std::unique_ptr<KeyTable> keys, std::unique_ptr<WindowPipeline> windows)
      : keys_(std::move(keys)), windows_(std::move(windows)) {}

  // REQUIRES: records in ascending order.
  Result<bool> contains(RecordNumber record) {
    if (!keys_) return false;
    while (record.value() >= end_) {
      TALLY_TRY_ASSIGN(auto window, windows_->next());
      CHECK(window);
      begin_ = window->first_record.value();
      end_ = begin_ + static_cast<std::int64_t>(window->record_count);
      TALLY_TRY_ASSIGN(found_, keys_->find(*window->bound));
    }
    const auto& key = found_[static_cast<std::size_t>(record.value() - begin_)];
    return key.last_applied_record > record.value();
  }

 private:
  std::unique_ptr<KeyTable> keys_;
  std::unique_ptr<WindowPipeline> windows_;
  std::vector<KeyTable::Occurrences> found_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
};

}  // namespace

RetryCopy::RetryCopy(const WorkerParts& parts, const WorkerSettings& settings,
                     const StopFlag& stop, const Claim& claim)
    : parts_(parts), settings_(settings), stop_(stop), claim_(claim) {}

Result<void> RetryCopy::run() {
  TALLY_TRY_ASSIGN(const Job child, parts_.jobs.find(claim_.job));
  auto parent = parts_.jobs.find(*child.parent);
  auto copied = parent.ok() ? copy(child, parent.value())
                            : Result<CompletedUpload>(std::move(parent).error());
  parts_.payloads.remove_scratch(child.id);
  if (!copied.ok()) return refuse(child, copied.error());
  const auto completed =
      parts_.jobs.apply({.id = child.id,
                         .event = JobEvent::kUploadCompleted,
                         .detail = std::to_string(copied.value().total_items) +
                                   " records of job " + child.parent->to_string(),
                         .upload = std::move(copied).value()});
  // Others of the owner's uploads may have completed meanwhile.
  if (!completed.ok() && completed.error().code == ErrorCode::kTooLarge) {
    return refuse(child, completed.error());
  }
  TALLY_TRY(completed);
  return {};
}

// The child ends with the reason, unless it is worth another try.
Result<void> RetryCopy::refuse(const Job& child, const Error& error) {
  if (is_transient(error.code) || error.code == ErrorCode::kOutOfSpace) return error;
  TALLY_TRY(parts_.jobs.apply(
      {.id = child.id,
       .event = JobEvent::kUploadRefused,
       .detail = "the parent's records cannot be copied: " + error.message,
       .upload = std::nullopt}));
  return parts_.payloads.remove(child.id);
}

Result<CompletedUpload> RetryCopy::copy(const Job& child, const Job& parent) {
  TALLY_TRY_ASSIGN(const JobPlan plan, JobPlan::make(parts_, settings_, parent));
  TALLY_TRY_ASSIGN(auto keys, note_keys(plan));
  std::unique_ptr<WindowPipeline> windows;
  if (keys) {
    TALLY_TRY_ASSIGN(auto source,
                     plan.windows(parts_.payloads, WindowNumber(0), RecordNumber(1)));
    windows = std::make_unique<WindowPipeline>(std::move(source), *plan.writer);
  }
  Superseded superseded(std::move(keys), std::move(windows));

  TALLY_TRY_ASSIGN(auto payload, parts_.payloads.open(parent.id));
  TALLY_TRY_ASSIGN(const std::string header, csv_header(*payload, parent));
  OutcomeStream records(parent, ledger_units(parts_.jobs, parts_.ledger, parent),
                        std::make_unique<BatchStream>(std::move(payload), plan.reader),
                        std::set{Outcome::kFailed, Outcome::kUnprocessed});

  TALLY_TRY_ASSIGN(auto writer, parts_.payloads.create(child.id));
  SplitLimits split;
  split.columns = plan.reader.columns.size();
  split.record_bytes_max = settings_.record_bytes_max;
  split.piece_bytes_max = std::max(limits::kPieceBytesMax, settings_.record_bytes_max);
  split.data_is_a_field = true;  // An array, never an envelope.
  TALLY_TRY_ASSIGN(const std::uint64_t stored, parts_.jobs.stored_bytes(child.owner));
  RecordSink sink(std::move(writer), make_splitter(parent.options.format, split),
                  parent.options.format.type,
                  {.owner = child.owner,
                   .stored_bytes = stored,
                   .stored_bytes_max = settings_.stored_bytes_per_owner_max});
  TALLY_TRY(sink.begin(header));
  std::uint64_t superseded_count = 0;
  std::int64_t copied = 0;
  std::vector<RecordNumber> parents;
  const auto store_parents = [&]() -> Result<void> {
    if (parents.empty()) return {};
    const auto first = copied - static_cast<std::int64_t>(parents.size()) + 1;
    TALLY_TRY(
        parts_.ledger.add_parent_records(child.number, RecordNumber(first), parents));
    parents.clear();
    return {};
  };
  while (true) {
    TALLY_TRY_ASSIGN(const auto record, records.next());
    if (!record) break;
    if (stop_.raised()) return Error{ErrorCode::kUnavailable, "the worker is to stop"};
    if (!can_stand_among_others(*record)) continue;
    TALLY_TRY_ASSIGN(const bool later_applied, superseded.contains(record->record));
    if (later_applied) {
      ++superseded_count;
      continue;
    }
    TALLY_TRY(sink.add(record->batch->raw(record->index)));
    ++copied;
    parents.push_back(record->record);
    if (parents.size() == limits::kWindowRecords) TALLY_TRY(store_parents());
  }
  TALLY_TRY(store_parents());
  TALLY_TRY_ASSIGN(CompletedUpload upload, sink.end());
  upload.superseded = superseded_count;
  return upload;
}

// Null where no record can undo another.
Result<std::unique_ptr<KeyTable>> RetryCopy::note_keys(const JobPlan& plan) {
  if (!is_keyed(plan.job.operation) || !plan.job.plan) return std::unique_ptr<KeyTable>();
  TALLY_TRY_ASSIGN(auto keys, plan.writer->make_key_table(parts_.payloads.scratch_path(
                                  plan.job.id, "retry-keys")));
  TALLY_TRY_ASSIGN(auto source,
                   plan.windows(parts_.payloads, WindowNumber(0), RecordNumber(1)));
  WindowPipeline pipeline(std::move(source), *plan.writer);
  while (true) {
    TALLY_TRY_ASSIGN(auto window, pipeline.next());
    if (!window) break;
    TALLY_TRY(keys->add(*window->bound));
    TALLY_TRY(note_applied(parts_.ledger, plan.job.number, window->number, *window->bound,
                           *keys));
  }
  return keys;
}

}  // namespace tallyman
