// How data comes in: parts, whole uploads, and what makes an upload complete.
#include "base/log.h"
#include "service/envelope.h"
#include "service/errors.h"
#include "service/job_rules.h"
#include "service/job_service.h"
#include "service/upload_gate.h"
#include "service/upload_intake.h"

namespace tallyman {
namespace {

Error part_is_arriving(const Job& job) {
  return {ErrorCode::kConflict,
          "another part of job " + job.id.to_string() +
              " is arriving; wait for its answer, then ask for the offset with HEAD",
          "UPLOAD_IN_PROGRESS"};
}

// The gate knows the parts that arrive here; of those that arrive at other nodes the
// payload tells.
Error lost_to_another_node(Error error, const Job& job) {
  return error.code == ErrorCode::kLost ? part_is_arriving(job) : std::move(error);
}

Error wrong_offset(const Job& job, std::uint64_t offset, std::uint64_t sent) {
  return {ErrorCode::kConflict,
          "the upload of job " + job.id.to_string() + " goes on at Upload-Offset " +
              std::to_string(offset) + ", not " + std::to_string(sent) +
              "; send from there",
          "WRONG_OFFSET"};
}

// Of the last checkpoint; 0 where nothing was sent yet.
Result<std::uint64_t> stored_offset(PayloadStore& payloads, const Job& job) {
  auto offset = payloads.checkpointed_offset(job.id);
  if (!offset.ok() && offset.error().code == ErrorCode::kNotFound) {
    return std::uint64_t{0};
  }
  return offset;
}

// Of the limits that hold for the job, the one that is met first.
std::optional<RecordsMax> records_max(const ServiceSettings& settings, const Job& job) {
  std::optional<RecordsMax> max;
  if (job.operation == Operation::kDelete) {
    max = {settings.delete_keys_max, "delete_keys_max",
           "keys, the most for a delete job; send it as several jobs", "TOO_MANY_KEYS"};
  }
  const bool is_whole = job.options.atomic || job.options.dry_run;
  if (is_whole && (!max || settings.atomic_records_max < max->records)) {
    max = {settings.atomic_records_max, "atomic_records_max",
           "records, the most for an atomic or dry-run job; send it as several jobs, or "
           "with mode=partial",
           ""};
  }
  return max;
}

UploadIntake::Options intake_options(const ServiceSettings& settings, Target& target,
                                     StoredBytes& stored_bytes, const Resource& resource,
                                     const Job& job) {
  UploadIntake::Options options;
  options.format = job.options.format;
  options.split.record_cells_max = settings.record_cells_max;
  options.split.columns = resource.fields.size();
  options.split.record_bytes_max = settings.record_bytes_max;
  options.split.piece_bytes_max =
      std::max(limits::kPieceBytesMax, settings.record_bytes_max);
  options.split.data_is_a_field = resource.field_place("data").has_value();
  options.upload_bytes_max = settings.upload_bytes_max;
  options.records_max = records_max(settings, job);
  options.may_grow_to = [&stored_bytes, &job](std::uint64_t bytes) {
    return stored_bytes.hold(job.owner, job.id, bytes);
  };
  options.judge_header = [&target, &resource, &job](const auto& columns) {
    return check_header(target, resource, job, columns);
  };
  return options;
}

Result<UploadReceived> seal_upload(PayloadStore& payloads, const Job& job,
                                   UploadIntake::Options options) {
  TALLY_TRY_ASSIGN(const auto intake,
                   UploadIntake::open(payloads, job.id, std::move(options)));
  return intake->finish();
}

// What makes two requests with one Idempotency-Key the same, beside their bodies.
void hash_request(ContentHash& hash, const JobRequest& request) {
  hash.update(name(request.operation));
  hash.update(to_json(request.options));
}

}  // namespace

Result<std::uint64_t> JobService::append(const Caller& caller,
                                         const JobReference& reference,
                                         const UploadPart& part,
                                         const ByteSource& source) {
  TALLY_TRY_ASSIGN(Job job, find_writable(parts_.jobs, caller, reference));
  const UploadGate gate(uploads_mutex_, uploads_under_way_, job.id);
  if (!gate.entered()) return part_is_arriving(job);
  TALLY_TRY_ASSIGN(job, parts_.jobs.find(job.id));
  if (job.state != JobState::kOpen || job.parent) {
    return invalid_state(job, "take data", "start a new job");
  }
  TALLY_TRY_ASSIGN(const auto resource, parts_.catalog.find(job.resource));
  // Before the payload is taken from whoever may be writing it at another node.
  TALLY_TRY_ASSIGN(const std::uint64_t stored, stored_offset(parts_.payloads, job));
  if (part.offset != stored) return wrong_offset(job, stored, part.offset);
  auto opened = UploadIntake::open(
      parts_.payloads, job.id,
      intake_options(settings_, parts_.target, stored_bytes_, *resource, job));
  if (!opened.ok()) return lost_to_another_node(std::move(opened).error(), job);
  const auto intake = std::move(opened).value();
  if (part.offset != intake->offset()) {
    return wrong_offset(job, intake->offset(), part.offset);
  }
  const auto receive = [&]() -> Result<void> {
    TALLY_TRY(stored_bytes_.require_room(job.owner, 0));
    TALLY_TRY(stored_bytes_.hold(job.owner, job.id,
                                 part.offset + part.announced_bytes.value_or(0)));
    TALLY_TRY(intake->receive(source, part.all_or_nothing, nullptr));
    return intake->checkpoint();
  };
  Result<void> received = receive();
  stored_bytes_.settle(job.owner, job.id, intake->offset());
  if (!received.ok()) return lost_to_another_node(std::move(received).error(), job);
  return intake->offset();
}

Result<std::uint64_t> JobService::upload_offset(const Caller& caller,
                                                const JobReference& reference) {
  TALLY_TRY_ASSIGN(const Job job, find_writable(parts_.jobs, caller, reference));
  if (job.submission) return job.upload_bytes;
  if (is_terminal(job.state)) return invalid_state(job, "take data", "start a new job");
  return stored_offset(parts_.payloads, job);
}

Result<Job> JobService::complete(const Caller& caller, const JobReference& reference) {
  TALLY_TRY_ASSIGN(Job job, find_writable(parts_.jobs, caller, reference));
  const UploadGate gate(uploads_mutex_, uploads_under_way_, job.id);
  if (!gate.entered()) return part_is_arriving(job);
  TALLY_TRY_ASSIGN(job, parts_.jobs.find(job.id));
  if (job.state != JobState::kOpen || job.parent) {
    return invalid_state(job, "be completed", "it takes no more data");
  }
  TALLY_TRY_ASSIGN(const auto resource, parts_.catalog.find(job.resource));
  const auto options =
      intake_options(settings_, parts_.target, stored_bytes_, *resource, job);
  UploadReceived received;
  if (auto sealed = parts_.payloads.open(job.id); sealed.ok()) {
    TALLY_TRY_ASSIGN(received, UploadIntake::read_again(*sealed.value(), options));
  } else if (sealed.error().code != ErrorCode::kNotFound) {
    return std::move(sealed).error();
  } else {
    auto sealing = seal_upload(parts_.payloads, job, options);
    if (!sealing.ok()) return lost_to_another_node(std::move(sealing).error(), job);
    received = std::move(sealing).value();
  }
  return complete_upload(caller, job, *resource, std::move(received), {}, false);
}

Result<Job> JobService::complete_upload(const Caller& caller, const Job& job,
                                        const Resource& resource, UploadReceived received,
                                        std::string fingerprint,
                                        bool envelope_may_make_upsert) {
  CompletedUpload upload{.total_items = received.total_items,
                         .upload_bytes = received.upload_bytes,
                         .columns = std::move(received.columns),
                         .fingerprint = std::move(fingerprint),
                         .operation = std::nullopt,
                         .options = std::nullopt,
                         .stored_bytes_max = settings_.stored_bytes_per_owner_max};
  if (received.envelope || envelope_may_make_upsert) {
    JobRequest request{.resource = job.resource,
                       .operation = job.operation,
                       .options = job.options,
                       .idempotency_key = {}};
    if (received.envelope) TALLY_TRY(apply_envelope(*received.envelope, request));
    if (envelope_may_make_upsert && !request.options.unique_fields.empty()) {
      request.operation = Operation::kUpsert;
      TALLY_TRY(require_scope(caller, job.resource, name(request.operation)));
    }
    TALLY_TRY(check_request(parts_.target, resource, request, job.acting));
    upload.operation = request.operation;
    upload.options = std::move(request.options);
  }
  auto completed =
      parts_.jobs.apply({.id = job.id,
                         .event = JobEvent::kUploadCompleted,
                         .by = caller.name,
                         .detail = std::to_string(upload.total_items) + " records",
                         .upload = std::move(upload)});
  if (completed.ok()) {
    stored_bytes_.complete(job.owner, job.id, completed.value().upload_bytes);
  }
  return completed;
}

Result<Job> JobService::submit(const Caller& caller, const JobRequest& request,
                               const ByteSource& source) {
  TALLY_TRY_ASSIGN(const auto resource, this->resource(caller, request.resource));
  TALLY_TRY(require_scope(caller, request.resource, name(request.operation)));
  TALLY_TRY(check_request(parts_.target, *resource, request, caller.acting));

  if (!request.idempotency_key.empty()) {
    TALLY_TRY_ASSIGN(auto existing,
                     parts_.jobs.find_by_idempotency_key(caller.owner, request.resource,
                                                         request.idempotency_key));
    if (existing) return resubmit(caller, *existing, request, source);
  }
  TALLY_TRY(
      stored_bytes_.require_room(caller.owner, request.announced_bytes.value_or(0)));
  TALLY_TRY_ASSIGN(
      const Job job,
      parts_.jobs.create({.id = JobId(Uuid::make_v7(parts_.clock.now(), parts_.random)),
                          .resource = request.resource,
                          .table = resource->table,
                          .operation = request.operation,
                          .owner = caller.owner,
                          .created_by = caller.name,
                          .acting = caller.acting,
                          .parallel = resource->parallel,
                          .options = request.options,
                          .idempotency_key = request.idempotency_key,
                          .parent = std::nullopt,
                          .open_jobs_max = settings_.open_jobs_per_owner_max}));
  return receive_whole(caller, job, *resource, request, source);
}

// The same key again: the same job where the request is the same.
Result<Job> JobService::resubmit(const Caller& caller, const Job& job,
                                 const JobRequest& request, const ByteSource& source) {
  if (job.parent || job.acting != caller.acting) {
    return idempotency_key_reused(request.idempotency_key);
  }
  if (!job.submission) {
    // The first try never completed: it starts again from 0.
    if (job.operation != request.operation || job.options != request.options) {
      return idempotency_key_reused(request.idempotency_key);
    }
    TALLY_TRY_ASSIGN(const auto resource, parts_.catalog.find(job.resource));
    return receive_whole(caller, job, *resource, request, source);
  }
  ContentHash hash;
  hash_request(hash, request);
  std::vector<char> buffer(256 << 10);
  while (true) {
    TALLY_TRY_ASSIGN(const std::size_t length, source(buffer));
    if (length == 0) break;
    hash.update({buffer.data(), length});
  }
  if (hash.finish() != job.fingerprint) {
    return idempotency_key_reused(request.idempotency_key);
  }
  return job;
}

Result<Job> JobService::receive_whole(const Caller& caller, const Job& job,
                                      const Resource& resource, const JobRequest& request,
                                      const ByteSource& source) {
  const UploadGate gate(uploads_mutex_, uploads_under_way_, job.id);
  if (!gate.entered()) return part_is_arriving(job);
  // The first try may have ended between the look-up and the gate.
  TALLY_TRY_ASSIGN(const Job now, parts_.jobs.find(job.id));
  if (now.submission) return resubmit(caller, now, request, source);
  if (now.state != JobState::kOpen) {
    return invalid_state(now, "take data", "send the request again");
  }

  auto completed = receive_into(caller, job, resource, request, source);
  if (completed.ok()) return completed;
  if (completed.error().code == ErrorCode::kLost) return part_is_arriving(job);

  const auto refused = parts_.jobs.apply({.id = job.id,
                                          .event = JobEvent::kUploadRefused,
                                          .by = caller.name,
                                          .detail = kept_reason(completed.error())});
  if (refused.ok()) {
    remove_payload(parts_.payloads, job.id);
    stored_bytes_.settle(job.owner, job.id, 0);
  } else {
    // Aborted meanwhile, or the database is away: the sweeper takes what is left.
    log_warning("upload_refusal_not_stored",
                {{"job", job.id.to_string()}, {"why", refused.error().message}});
  }
  return completed;
}

Result<Job> JobService::receive_into(const Caller& caller, const Job& job,
                                     const Resource& resource, const JobRequest& request,
                                     const ByteSource& source) {
  std::optional<ContentHash> hash;
  if (!request.idempotency_key.empty()) {
    hash_request(hash.emplace(), request);
  }
  TALLY_TRY(stored_bytes_.hold(job.owner, job.id, request.announced_bytes.value_or(0)));
  TALLY_TRY_ASSIGN(const auto intake, UploadIntake::start_over(
                                          parts_.payloads, job.id,
                                          intake_options(settings_, parts_.target,
                                                         stored_bytes_, resource, job)));
  TALLY_TRY(intake->receive(source, true, hash ? &*hash : nullptr));
  TALLY_TRY_ASSIGN(UploadReceived received, intake->finish());
  return complete_upload(caller, job, resource, std::move(received),
                         hash ? hash->finish() : std::string(),
                         request.envelope_may_make_upsert);
}

}  // namespace tallyman
