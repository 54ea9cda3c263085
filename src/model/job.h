// Job: what a client asked for, and what the server knows about it. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/acting_as.h"
#include "model/content.h"
#include "model/ids.h"
#include "model/job_state.h"
#include "model/operation.h"
#include "model/unit.h"

namespace tallyman {

// What happens to the second record with a key.
enum class OnDuplicate : std::uint8_t {
  kSequence = 0,  // Each record in turn, each its own outcome.
  kFirst = 1,     // After one of a key succeeded, the later ones fail.
  kLast = 2,      // The earlier ones fail.
  kError = 3,     // All of them fail.
};

std::string_view name(OnDuplicate rule);  // "sequence"
std::optional<OnDuplicate> on_duplicate_from_name(std::string_view text);

// What the client asked for. Fixed when the upload is complete.
struct JobOptions {
  InputFormat format;
  std::vector<std::string> unique_fields;                 // Empty: the primary key.
  std::optional<std::vector<std::string>> update_fields;  // Upsert: written on a match.
  OnDuplicate on_duplicate = OnDuplicate::kSequence;
  bool atomic = false;   // All or nothing.
  bool dry_run = false;  // Everything, and then rolled back.
  std::optional<std::uint64_t> max_errors;
  std::optional<std::string> max_error_ratio;  // A decimal from 0 to 1, as sent.
  std::string aggregates;                      // JSON, as sent; empty: none.
  std::string expect;                          // JSON, as sent; empty: none.

  friend bool operator==(const JobOptions&, const JobOptions&);
};

// The form in which options are kept: one JSON object, always the same for equal options.
std::string to_json(const JobOptions& options);
// Reads what to_json() wrote. kInvalidArgument names the member that cannot be read.
Result<JobOptions> job_options_from_json(std::string_view json);

// True for a plain decimal from 0 to 1: "0.1", "1". No sign, no exponent.
bool is_error_ratio(std::string_view text);

// The number of failed records that a job of `total` may have: the smaller of max_errors
// and floor(ratio * total), exact whatever the number of digits. Nothing where neither is
// set. REQUIRES: max_error_ratio is_error_ratio().
std::optional<std::uint64_t> error_budget(const JobOptions& options, std::uint64_t total);

// How a job is cut into units. Fixed at its first claim: nothing later changes it.
struct WindowPlan {
  std::uint64_t window_records = 0;
  std::uint64_t window_bytes = 0;
  std::uint32_t slices = 1;
  // What tells a record's slice (Slicing::signature); empty for one slice. A job whose
  // table was changed in it cannot go on: its records would fall into other slices.
  std::string sliced_by = {};
};

struct Job {
  JobId id;
  JobNumber number{0};
  std::string resource;
  std::string table;
  Operation operation = Operation::kInsert;
  JobState state = JobState::kOpen;
  std::string owner;       // Whose it is.
  std::string created_by;  // The token's name.
  ActingAs acting;         // As whom it runs: that of the token, when it was made.
  // Its resource was declared parallel: it may run beside others of its table that are.
  bool parallel = false;
  JobOptions options;
  Timestamp created_at;
  Timestamp updated_at;
  std::optional<Timestamp> started_at;    // The first claim.
  std::optional<Timestamp> completed_at;  // When it ended, in whichever state.

  Epoch epoch{0};
  std::optional<std::int64_t> submission;  // Its place among the jobs of its table.
  std::optional<WindowPlan> plan;
  std::vector<std::string> columns;  // CSV: the header's cells.
  std::uint64_t upload_bytes = 0;    // Decoded; known at Upload Complete.
  std::optional<std::uint64_t> total_items;
  std::uint64_t checked_items = 0;  // Atomic and dry-run jobs: bound and checked so far.
  OutcomeCounts counts;             // Committed units, summed.

  std::string message;  // Why it is Failed or Aborted; what control total differs.
  bool verified = false;
  bool results_expired = false;  // Payload and ledger are gone.
  std::uint64_t retries = 0;     // Transient database errors survived.
  std::string lanes_reason;      // Why one lane was forced; empty: it was not.

  std::optional<JobId> parent;   // Of a retry.
  std::uint64_t superseded = 0;  // Records of the parent that were not retried.
  std::string idempotency_key;   // Empty: none.
  std::string fingerprint;       // Of options and decoded body; set at Upload Complete.
};

// One line of a job's history.
struct JobHistoryEntry {
  std::int64_t sequence = 0;  // 1, 2, 3 ... within the job.
  Timestamp at;
  std::string event;  // name(JobEvent), "created", "slice_reclaimed" ...
  std::optional<JobState> from;
  std::optional<JobState> to;
  std::string by;      // Owner, or "system".
  std::string detail;  // For a person.
};

}  // namespace tallyman
