// What the server answers, as values; and how they are read from its JSON.
//
// Plain values. Decimals of aggregates are kept as the digits that were sent.
//
// Errors: kInternal where the answer is not what the REST face says: the address is then
//         mostly not that of a tallyman server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "model/job_state.h"
#include "model/operation.h"

namespace tallyman::client {

// Names a job as a path does.
struct JobReference {
  std::string resource;
  JobId id;
};

// The answer to starting, completing or retrying a job.
struct StartedJob {
  JobId id{Uuid()};
  std::optional<std::uint64_t> total_items;
  std::string message;
  std::optional<JobId> parent;   // Of a retry.
  std::uint64_t superseded = 0;  // Of a retry: records that a later job has overtaken.
};

struct RecordFault {
  std::uint64_t record = 0;
  std::string code;
  std::string field;  // Empty where no one field is to blame.
  std::string message;
};

struct JobStatus {
  JobId id{Uuid()};
  std::string resource;  // Where the answer tells it.
  Operation operation = Operation::kInsert;
  JobState state = JobState::kOpen;
  std::string created_at;  // RFC 3339.
  std::string updated_at;
  std::string completed_at;                  // Empty until it has ended.
  std::optional<std::uint64_t> total_items;  // Known once the upload is complete.
  std::uint64_t processed = 0;
  std::uint64_t checked = 0;  // Atomic and dry-run jobs: looked at so far.
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t created = 0;
  std::uint64_t updated = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t deleted = 0;
  std::uint64_t unprocessed = 0;
  double percentage = 0.0;
  std::optional<std::int64_t> estimated_remaining;  // Seconds.
  bool verified = false;
  bool dry_run = false;
  bool can_retry = false;
  bool aggregates_completed = false;
  std::vector<std::pair<std::string, std::uint64_t>> error_summary;  // By code.
  std::vector<RecordFault> errors;                                   // The first 100.
  std::string lanes_reason;
  std::string message;
  std::string json;  // The whole answer, as sent.
};

struct JobPage {
  std::vector<JobStatus> jobs;  // Newest first.
  std::string next;             // The path of the next page; empty on the last.
};

struct HistoryEntry {
  std::string at;  // RFC 3339.
  std::string event;
  std::string from;  // States; empty where there is none.
  std::string to;
  std::string by;
  std::string detail;
};

struct AggregateAnswer {
  bool complete = false;  // Else the server is still computing.
  std::vector<std::pair<std::string, std::string>>
      results;  // Name and JSON value, as sent.
  std::vector<std::pair<std::string, std::string>> errors;  // Name and reason.
  std::string as_of;
  bool changed_since = false;
  std::string json;  // The whole answer, as sent.
};

Result<StartedJob> parse_started_job(std::string_view json);
Result<JobStatus> parse_status(std::string_view json);
Result<JobPage> parse_page(std::string_view json);
Result<std::vector<HistoryEntry>> parse_history(std::string_view json);
Result<AggregateAnswer> parse_aggregate_answer(std::string_view json);

// The server's sentence and code of a refusal; where the body is none of ours, a sentence
// made of the status. `called` is what was asked for: "GET /api/people/jobs/".
Error parse_refusal(int status, std::string_view body, std::string_view called);

}  // namespace tallyman::client
