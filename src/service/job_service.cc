#include "service/job_service.h"

#include <algorithm>

#include "service/errors.h"
#include "service/job_rules.h"

namespace tallyman {
namespace {

constexpr std::chrono::milliseconds kLookAgain{1'000};

}  // namespace

JobService::JobService(Parts parts, ServiceSettings settings)
    : parts_(parts),
      settings_(settings),
      stored_bytes_(parts_.jobs, parts_.payloads, settings_.stored_bytes_per_owner_max) {}

Result<Job> JobService::find(const Caller& caller, const JobReference& reference) {
  TALLY_TRY_ASSIGN(Job job, find_visible(parts_.jobs, caller, reference));
  TALLY_TRY(require_scope(caller, job.resource, "read"));
  return job;
}

Result<Job> JobService::create(const Caller& caller, const JobRequest& request) {
  TALLY_TRY_ASSIGN(auto resource, this->resource(caller, request.resource));
  TALLY_TRY(require_scope(caller, request.resource, name(request.operation)));
  TALLY_TRY(check_request(parts_.target, *resource, request, caller.acting));

  if (!request.idempotency_key.empty()) {
    TALLY_TRY_ASSIGN(auto existing,
                     parts_.jobs.find_by_idempotency_key(caller.owner, request.resource,
                                                         request.idempotency_key));
    if (existing) {
      if (existing->operation == request.operation &&
          existing->options == request.options && existing->acting == caller.acting &&
          !existing->parent) {
        return std::move(*existing);
      }
      return idempotency_key_reused(request.idempotency_key);
    }
  }
  return parts_.jobs.create(
      {.id = JobId(Uuid::make_v7(parts_.clock.now(), parts_.random)),
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
       .open_jobs_max = settings_.open_jobs_per_owner_max});
}

Result<Job> JobService::abort(const Caller& caller, const JobReference& reference) {
  TALLY_TRY_ASSIGN(Job job, find_writable(parts_.jobs, caller, reference));
  auto aborted = parts_.jobs.apply({.id = job.id,
                                    .event = JobEvent::kAbortRequested,
                                    .by = caller.name,
                                    .detail = "aborted by " + caller.name});
  if (!aborted.ok() && aborted.error().code == ErrorCode::kConflict) {
    TALLY_TRY_ASSIGN(job, parts_.jobs.find(reference.id));
    return invalid_state(job, "be aborted", "it has ended");
  }
  if (!aborted.ok()) return std::move(aborted).error();
  if (!aborted.value().submission) {
    remove_payload(parts_.payloads, job.id);
    stored_bytes_.settle(job.owner, job.id, 0);
  }
  return aborted;
}

Result<void> JobService::remove(const Caller& caller, const JobReference& reference) {
  TALLY_TRY_ASSIGN(const Job job, find_writable(parts_.jobs, caller, reference));
  if (!is_terminal(job.state)) {
    return invalid_state(job, "be deleted", "abort it first, or wait until it has ended");
  }
  TALLY_TRY(parts_.jobs.remove(job.id));
  remove_payload(parts_.payloads, job.id);
  return {};
}

Result<Job> JobService::retry(const Caller& caller, const JobReference& reference,
                              const std::string& idempotency_key) {
  TALLY_TRY_ASSIGN(const Job parent, find_writable(parts_.jobs, caller, reference));
  if (!is_terminal(parent.state)) {
    return invalid_state(parent, "be retried", "wait until it has ended, or abort it");
  }
  if (!parent.submission) {
    return invalid_state(parent, "be retried",
                         "its upload was never completed; send the records as a new job");
  }
  if (parent.results_expired) return results_expired(parent);
  if (!has_records_to_retry(parent)) {
    return invalid_state(parent, "be retried", "none of its records failed");
  }
  if (!idempotency_key.empty()) {
    TALLY_TRY_ASSIGN(auto existing, parts_.jobs.find_by_idempotency_key(
                                        parent.owner, parent.resource, idempotency_key));
    if (existing && existing->parent == parent.id) return std::move(*existing);
    if (existing) return idempotency_key_reused(idempotency_key);
  }
  // How much its records take is known when they have been copied, and judged then.
  TALLY_TRY(stored_bytes_.require_room(parent.owner, 1));
  const std::uint64_t seen = parts_.jobs.changes().version();
  JobOptions options = parent.options;
  options.expect.clear();  // The totals were those of the whole upload.
  TALLY_TRY_ASSIGN(
      const Job child,
      parts_.jobs.create({.id = JobId(Uuid::make_v7(parts_.clock.now(), parts_.random)),
                          .resource = parent.resource,
                          .table = parent.table,
                          .operation = parent.operation,
                          .owner = parent.owner,
                          .created_by = caller.name,
                          .acting = parent.acting,
                          .parallel = parent.parallel,
                          .options = std::move(options),
                          .idempotency_key = idempotency_key,
                          .parent = parent.id,
                          .open_jobs_max = settings_.open_jobs_per_owner_max}));
  return wait_until(child.id, limits::kAggregatesWait, seen,
                    [](const Job& job) { return job.state != JobState::kOpen; });
}

Result<Job> JobService::wait_for_end(const Caller& caller, const JobReference& reference,
                                     std::chrono::milliseconds wait) {
  const std::uint64_t seen = parts_.jobs.changes().version();
  TALLY_TRY_ASSIGN(const Job job, find_visible(parts_.jobs, caller, reference));
  return wait_until(job.id,
                    std::min<std::chrono::milliseconds>(wait, limits::kPreferWaitMax),
                    seen, [](const Job& now) { return is_terminal(now.state); });
}

Result<Job> JobService::wait_until(const JobId& id, std::chrono::milliseconds wait,
                                   std::uint64_t seen,
                                   const std::function<bool(const Job&)>& reached) {
  const auto deadline = parts_.clock.steady() + wait;
  while (true) {
    TALLY_TRY_ASSIGN(Job job, parts_.jobs.find(id));
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - parts_.clock.steady());
    if (reached(job) || left.count() <= 0 || stopping_) return job;
    seen = wait_for_change(seen, left);
  }
}

// What another node has changed may be told late, or not at all.
std::uint64_t JobService::wait_for_change(std::uint64_t seen,
                                          std::chrono::milliseconds wait) const {
  return parts_.jobs.changes().wait(seen, std::min(wait, kLookAgain));
}

void JobService::stop() {
  stopping_ = true;
  parts_.jobs.announce();
}

Result<std::vector<Job>> JobService::list(const Caller& caller, JobFilter filter) {
  if (!caller.is_admin()) filter.owner = caller.owner;
  // Who names one resource is told what is missing; who asks for all of them is shown
  // what may be read.
  if (filter.resources.size() == 1) {
    TALLY_TRY(require_scope(caller, filter.resources.front(), "read"));
  }
  if (filter.resources.empty()) filter.resources = parts_.catalog.names();
  std::erase_if(filter.resources, [&](const std::string& resource) {
    return !caller.may(resource, "read");
  });
  if (filter.resources.empty()) return std::vector<Job>();
  filter.limit = std::clamp<std::size_t>(filter.limit, 1, limits::kListPageMax + 1);
  return parts_.jobs.list(filter);
}

Result<std::vector<JobHistoryEntry>> JobService::history(const Caller& caller,
                                                         const JobReference& reference) {
  TALLY_TRY_ASSIGN(const Job job, find(caller, reference));
  return parts_.jobs.history(job.number);
}

Result<std::vector<std::shared_ptr<const Resource>>> JobService::resources(
    const Caller& caller) {
  std::vector<std::shared_ptr<const Resource>> resources;
  for (const std::string& name : parts_.catalog.names()) {
    if (!caller.may_see(name)) continue;
    TALLY_TRY_ASSIGN(auto resource, parts_.catalog.find(name));
    resources.push_back(std::move(resource));
  }
  return resources;
}

Result<std::shared_ptr<const Resource>> JobService::resource(const Caller& caller,
                                                             std::string_view name) {
  if (!caller.may_see(name)) {
    return Error{ErrorCode::kNotFound,
                 "there is no resource '" + std::string(name) +
                     "' that this token may use; GET /api/ lists those there are",
                 "UNKNOWN_RESOURCE"};
  }
  return parts_.catalog.find(name);
}

}  // namespace tallyman
