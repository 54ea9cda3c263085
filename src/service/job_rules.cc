#include "service/job_rules.h"

#include "base/log.h"
#include "model/aggregate.h"
#include "service/errors.h"
#include "target/write_spec.h"

namespace tallyman {
namespace {

constexpr const char* kHeaderLine = "the header line";

Result<void> check_operation(const Resource& resource, Operation operation) {
  if (resource.operations.contains(operation)) return {};
  std::string allowed;
  for (const Operation known : resource.operations) {
    if (!allowed.empty()) allowed += ", ";
    allowed += name(known);
  }
  return Error{ErrorCode::kForbidden,
               "the resource '" + resource.name + "' does not allow the operation '" +
                   std::string(name(operation)) + "'; it allows: " + allowed,
               "OPERATION_NOT_ALLOWED"};
}

}  // namespace

Result<Job> find_visible(JobStore& jobs, const Caller& caller,
                         const JobReference& reference) {
  auto found = jobs.find(reference.id);
  if (!found.ok() && found.error().code != ErrorCode::kNotFound) {
    return std::move(found).error();
  }
  const bool visible =
      found.ok() && (caller.is_admin() || found.value().owner == caller.owner) &&
      (reference.resource.empty() || found.value().resource == reference.resource);
  if (!visible) return no_such_job(reference.id);
  return found;
}

Result<Job> find_writable(JobStore& jobs, const Caller& caller,
                          const JobReference& reference) {
  TALLY_TRY_ASSIGN(Job job, find_visible(jobs, caller, reference));
  TALLY_TRY(require_scope(caller, job.resource, name(job.operation)));
  return job;
}

Result<void> check_request(Target& target, const Resource& resource,
                           const JobRequest& request, const ActingAs& acting) {
  const JobOptions& options = request.options;
  const bool is_json = options.format.type == ContentType::kJson;
  // Which of two operations it is will be known, and checked, when the envelope is here.
  const bool undecided = request.envelope_may_make_upsert && is_json;
  if (!undecided || !resource.operations.contains(Operation::kUpsert)) {
    TALLY_TRY(check_operation(resource, request.operation));
  }
  const bool is_delete = request.operation == Operation::kDelete;
  if (!options.aggregates.empty()) {
    TALLY_TRY(parse_aggregates(options.aggregates, resource, is_delete));
  }
  if (!options.expect.empty()) {
    TALLY_TRY(parse_control_totals(options.expect, resource, is_delete));
  }
  if (undecided) return target.check_acting(acting);
  // The columns of a CSV upload are judged when its header is here; all the rest now.
  JobOptions sparse = options;
  sparse.format.type = ContentType::kNdjson;
  WriteSpec spec = write_spec(request.operation, sparse, resource.field_names(), false);
  spec.acting = acting;
  TALLY_TRY(target.make_writer(resource, spec));
  return {};
}

Result<void> check_header(Target& target, const Resource& resource, const Job& job,
                          const std::vector<std::string>& columns) {
  WriteSpec spec = write_spec(job.operation, job.options, columns, false);
  spec.acting = job.acting;
  auto writer = target.make_writer(resource, spec);
  if (writer.ok()) return {};
  Error error = std::move(writer).error();
  if (error.code == ErrorCode::kInvalidArgument) {
    error.code = ErrorCode::kUnreadable;
    error = std::move(error).with_context(kHeaderLine);
  }
  return error;
}

std::string kept_reason(const Error& refusal) {
  if (!refusal.message.starts_with(std::string(kHeaderLine) + ": ")) {
    return refusal.message;
  }
  return "the header line does not fit the resource; the answer to the upload said why";
}

bool has_records_to_retry(const Job& job) {
  return job.counts.failed > 0 || job.counts.processed() < job.total_items.value_or(0);
}

void remove_payload(PayloadStore& payloads, const JobId& job) {
  if (const auto removed = payloads.remove(job); !removed.ok()) {
    log_warning("payload_not_removed",
                {{"job", job.to_string()}, {"why", removed.error().message}});
  }
}

Error idempotency_key_reused(std::string_view key) {
  return {ErrorCode::kConflict,
          "the Idempotency-Key '" + std::string(key) +
              "' was used for another request; use a new key for a new request",
          "IDEMPOTENCY_KEY_REUSED"};
}

}  // namespace tallyman
