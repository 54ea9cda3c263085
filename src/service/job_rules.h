// What must hold before the service does something with a job. No side effects.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "service/job_service.h"

namespace tallyman {

// The job, if it is the caller's (or the caller is an admin) and of that resource.
Result<Job> find_visible(JobStore& jobs, const Caller& caller,
                         const JobReference& reference);

// The same, for whoever may run such jobs.
Result<Job> find_writable(JobStore& jobs, const Caller& caller,
                          const JobReference& reference);

// Operation, options, unique_fields, aggregates and control totals fit the resource, and
// there is nothing in the way of a job that acts so.
Result<void> check_request(Target& target, const Resource& resource,
                           const JobRequest& request, const ActingAs& acting);

// The columns of a CSV header fit. kUnreadable names the column and the nearest name.
Result<void> check_header(Target& target, const Resource& resource, const Job& job,
                          const std::vector<std::string>& columns);

// Why an upload was refused, as the job keeps it: of a header line without its words.
// What has no header is read as if its first record were one, and a value of a record
// stands in no status and no history. Its sender is told all of it.
std::string kept_reason(const Error& refusal);

bool has_records_to_retry(const Job& job);

// For a job that has ended: what cannot be removed now is left to the sweeper.
void remove_payload(PayloadStore& payloads, const JobId& job);

Error idempotency_key_reused(std::string_view key);

}  // namespace tallyman
