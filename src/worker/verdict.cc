#include "worker/verdict.h"

#include <algorithm>

#include "base/decimal.h"
#include "model/aggregate.h"

namespace tallyman {
namespace {

void differ(JobVerdict& verdict, const std::string& what) {
  if (!verdict.detail.empty()) verdict.detail += "; ";
  verdict.detail += what;
}

// Exact: 175.750 is 175.75.
bool same_number(std::string_view a, std::string_view b) {
  const auto left = Decimal::parse(a);
  const auto right = Decimal::parse(b);
  return left && right && *left == *right;
}

void judge_total(JobVerdict& verdict, const ControlTotal& total,
                 const AggregateResult& found) {
  if (found.error.empty() && same_number(found.value, total.expected)) return;
  verdict.totals_hold = false;
  // What was found may be a value of a record (a maximum): it is not said.
  differ(verdict, "control total '" + total.aggregate.name + "' is not the expected " +
                      total.expected +
                      (found.error.empty() ? "" : " but not known: " + found.error));
}

// True where an update may give a row another primary key: an earlier record of the job
// may then name a row by the key that it had.
bool may_move_rows(const JobPlan& plan) {
  const Key* primary = plan.resource->primary_key();
  const auto& by = plan.job.options.unique_fields;
  if (!primary || by.empty() || plan.resource->key_of(by) == primary) return false;
  return std::any_of(
      primary->fields.begin(), primary->fields.end(), [&](std::size_t field) {
        const auto& sent = plan.reader.columns;
        return std::find(sent.begin(), sent.end(), plan.resource->fields[field].name) !=
               sent.end();
      });
}

// One question for the control totals and the aggregates that came with the job.
struct Questions {
  std::vector<ControlTotal> totals;
  std::vector<AggregateSpec> specs;  // The totals', then the aggregates.
};

Result<Questions> questions_of(const JobPlan& plan) {
  const JobOptions& options = plan.job.options;
  const bool is_delete = plan.job.operation == Operation::kDelete;
  Questions questions;
  if (!options.expect.empty()) {
    TALLY_TRY_ASSIGN(questions.totals,
                     parse_control_totals(options.expect, *plan.resource, is_delete));
  }
  for (const ControlTotal& total : questions.totals) {
    questions.specs.push_back(total.aggregate);
  }
  if (!options.aggregates.empty()) {
    TALLY_TRY_ASSIGN(const auto asked,
                     parse_aggregates(options.aggregates, *plan.resource, is_delete));
    questions.specs.insert(questions.specs.end(), asked.begin(), asked.end());
  }
  return questions;
}

}  // namespace

Result<JobVerdict> judge_job(const WorkerParts& parts, db::Transaction& transaction,
                             const JobPlan& plan, const OutcomeCounts& counts,
                             const RowIdSourceMaker& ids) {
  JobVerdict verdict;
  const std::uint64_t total = plan.job.total_items.value_or(0);
  if (counts.processed() != total) {
    differ(verdict, "the units sum to " + std::to_string(counts.processed()) +
                        " records, the upload has " + std::to_string(total));
  }
  if (plan.job.operation != Operation::kDelete) {
    TALLY_TRY_ASSIGN(
        const Target::Presence presence,
        parts.target.count_present(transaction, *plan.resource, ids, plan.job.acting));
    const std::uint64_t moved_max = may_move_rows(plan) ? counts.updated : 0;
    // A job beside this one may have taken its rows already.
    if (!plan.job.parallel && presence.named - presence.present > moved_max) {
      differ(verdict, std::to_string(presence.named - presence.present) + " of " +
                          std::to_string(presence.named) + " written rows are not there");
    }
  }

  const Timestamp as_of = parts.clock.now();
  auto questions = questions_of(plan);
  if (!questions.ok()) {
    verdict.totals_hold = false;
    differ(verdict, questions.error().message);
  } else if (!questions.value().specs.empty()) {
    const Questions& asked = questions.value();
    TALLY_TRY_ASSIGN(const auto results,
                     parts.target.aggregate(transaction, *plan.resource, asked.specs, ids,
                                            plan.job.acting));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (i < asked.totals.size()) {
        judge_total(verdict, asked.totals[i], results[i]);
        continue;
      }
      verdict.aggregates.push_back({.job = plan.job.number,
                                    .name = results[i].name,
                                    .definition = to_json(asked.specs[i]),
                                    .done = true,
                                    .value = results[i].value,
                                    .error = results[i].error,
                                    .as_of = as_of});
    }
  }
  verdict.verified = verdict.detail.empty();
  return verdict;
}

}  // namespace tallyman
