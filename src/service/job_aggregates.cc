// Aggregates that are asked for after the job.
#include <algorithm>

#include "model/aggregate.h"
#include "service/errors.h"
#include "service/job_rules.h"
#include "service/job_service.h"

namespace tallyman {
namespace {

Result<void> check_complete_and_verified(const Job& job) {
  if (job.state != JobState::kJobComplete) {
    return invalid_state(job, "be aggregated",
                         "aggregates need a job that is Job Complete and verified");
  }
  if (!job.verified) {
    return Error{ErrorCode::kConflict,
                 "job " + job.id.to_string() + " is not verified (" + job.message +
                     "); its aggregates would not be its own",
                 "NOT_VERIFIED"};
  }
  return {};
}

// The answers to `asked`, in its order.
std::vector<StoredAggregate> answers_to(
    const std::vector<std::pair<std::string, std::string>>& asked,
    const std::vector<StoredAggregate>& stored) {
  std::vector<StoredAggregate> answers;
  for (const auto& wanted : asked) {
    const auto found = std::find_if(stored.begin(), stored.end(), [&](const auto& one) {
      return one.name == wanted.first && one.definition == wanted.second;
    });
    if (found != stored.end()) answers.push_back(*found);
  }
  return answers;
}

bool all_done(const std::vector<StoredAggregate>& aggregates) {
  return std::all_of(aggregates.begin(), aggregates.end(),
                     [](const StoredAggregate& one) { return one.done; });
}

// Of each name, the definition that was asked for last.
std::vector<StoredAggregate> latest_of_each_name(
    const std::vector<StoredAggregate>& stored) {
  std::vector<StoredAggregate> latest;
  for (const StoredAggregate& one : stored) {
    std::erase_if(latest, [&](const auto& other) { return other.name == one.name; });
    latest.push_back(one);
  }
  return latest;
}

}  // namespace

Result<AggregatesAnswer> JobService::request_aggregates(const Caller& caller,
                                                        const JobId& id,
                                                        std::string_view json) {
  TALLY_TRY_ASSIGN(const Job job, find(caller, {.resource = {}, .id = id}));
  TALLY_TRY(check_complete_and_verified(job));
  TALLY_TRY_ASSIGN(const auto resource, parts_.catalog.find(job.resource));
  TALLY_TRY_ASSIGN(
      const auto specs,
      parse_aggregates(json, *resource, job.operation == Operation::kDelete));
  std::vector<std::pair<std::string, std::string>> asked;
  for (const AggregateSpec& spec : specs) asked.emplace_back(spec.name, to_json(spec));

  std::uint64_t seen = parts_.jobs.changes().version();
  TALLY_TRY_ASSIGN(const auto known, parts_.aggregates.find(job.number));
  if (answers_to(asked, known).size() < asked.size()) {
    if (job.results_expired) return results_expired(job);
    TALLY_TRY(parts_.aggregates.request(job.number, asked));
    parts_.jobs.announce();  // Wakes the worker that answers them.
  }
  const auto deadline = parts_.clock.steady() + limits::kAggregatesWait;
  AggregatesAnswer answer;
  while (true) {
    TALLY_TRY_ASSIGN(const auto stored, parts_.aggregates.find(job.number));
    answer.aggregates = answers_to(asked, stored);
    answer.complete = all_done(answer.aggregates);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - parts_.clock.steady());
    if (answer.complete || left.count() <= 0 || stopping_) break;
    seen = wait_for_change(seen, left);
  }
  TALLY_TRY_ASSIGN(answer.changed_since, parts_.jobs.written_since(job));
  return answer;
}

Result<AggregatesAnswer> JobService::find_aggregates(const Caller& caller,
                                                     const JobReference& reference) {
  TALLY_TRY_ASSIGN(const Job job, find(caller, reference));
  TALLY_TRY_ASSIGN(const auto stored, parts_.aggregates.find(job.number));
  if (stored.empty()) {
    return Error{ErrorCode::kNotFound,
                 "no aggregates were asked for of job " + job.id.to_string() +
                     "; ask with POST /api/" + job.resource + "/bulk/v2/aggregates/",
                 "AGGREGATES_NOT_REQUESTED"};
  }
  TALLY_TRY(check_complete_and_verified(job));
  AggregatesAnswer answer{.aggregates = latest_of_each_name(stored)};
  answer.complete = all_done(answer.aggregates);
  TALLY_TRY_ASSIGN(answer.changed_since, parts_.jobs.written_since(job));
  return answer;
}

}  // namespace tallyman
