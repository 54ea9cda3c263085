#include "worker/pending_aggregates.h"

#include <algorithm>

#include "base/json_writer.h"
#include "model/aggregate.h"
#include "worker/units.h"

namespace tallyman {
namespace {

std::string definitions_of(const std::vector<StoredAggregate>& pending) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  for (const StoredAggregate& one : pending) json.key(one.name).raw(one.definition);
  json.end_object();
  return text;
}

Result<std::vector<AggregateResult>> compute(
    const WorkerParts& parts, const std::vector<StoredAggregate>& pending) {
  TALLY_TRY_ASSIGN(const Job job, parts.jobs.find(pending.front().job));
  if (job.results_expired) {
    return Error{ErrorCode::kGone, "the job's ledger is past its retention"};
  }
  TALLY_TRY_ASSIGN(const auto resource, parts.catalog.find(job.resource));
  TALLY_TRY_ASSIGN(const auto specs,
                   parse_aggregates(definitions_of(pending), *resource,
                                    job.operation == Operation::kDelete));
  TALLY_TRY_ASSIGN(auto snapshot, parts.database.begin_read());
  return parts.target.aggregate(*snapshot, *resource, specs,
                                ledger_ids(parts.ledger, *snapshot, job.number),
                                job.acting);
}

}  // namespace

Result<bool> answer_pending_aggregates(const WorkerParts& parts) {
  TALLY_TRY_ASSIGN(auto pending, parts.aggregates.next_pending());
  if (pending.empty()) return false;

  // One name may be pending with two definitions: the later one waits for the next round.
  std::vector<StoredAggregate> round;
  for (StoredAggregate& one : pending) {
    const bool taken = std::any_of(round.begin(), round.end(), [&](const auto& other) {
      return other.name == one.name;
    });
    if (!taken) round.push_back(std::move(one));
  }
  const Timestamp as_of = parts.clock.now();
  const auto results = compute(parts, round);
  if (!results.ok() && is_transient(results.error().code)) return results.error();

  TALLY_TRY_ASSIGN(auto transaction,
                   parts.database.begin_write(parts.database.writer_wait()));
  for (std::size_t i = 0; i < round.size(); ++i) {
    StoredAggregate& answer = round[i];
    answer.done = true;
    answer.as_of = as_of;
    if (results.ok()) {
      answer.value = results.value()[i].value;
      answer.error = results.value()[i].error;
    } else {
      answer.error = results.error().message;
    }
    TALLY_TRY(parts.aggregates.answer(*transaction, answer));
  }
  TALLY_TRY(transaction->commit());
  parts.jobs.announce();
  return true;
}

}  // namespace tallyman
