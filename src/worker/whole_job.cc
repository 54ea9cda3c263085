#include "worker/whole_job.h"

#include <algorithm>

#include "worker/job_run.h"

namespace tallyman {
namespace {

Error must_stop() { return {ErrorCode::kUnavailable, "the worker is to stop"}; }

// What a unit tells once its rows have been rolled back.
UnitOutcomes rolled_back(UnitOutcomes outcomes, bool keep_outcomes) {
  if (!keep_outcomes) {
    std::replace_if(outcomes.outcomes.begin(), outcomes.outcomes.end(), is_success,
                    Outcome::kUnprocessed);
  }
  outcomes.ids = RowIds{};  // There are no such rows.
  return outcomes;
}

}  // namespace

WholeJob::WholeJob(const WorkerParts& parts, const WorkerSettings& settings,
                   const Claim& claim, const JobPlan& plan, Attempts& attempts)
    : parts_(parts),
      settings_(settings),
      claim_(claim),
      plan_(plan),
      attempts_(attempts),
      budget_(error_budget(plan.job.options, plan.job.total_items.value_or(0))) {}

Result<void> WholeJob::run() {
  TALLY_TRY(check_everything());
  if (attempts_.must_pause()) return {};
  TALLY_TRY(attempts_.make([&]() -> Result<bool> {
    TALLY_TRY(write_everything());
    return true;
  }));
  return {};
}

Result<void> WholeJob::check_everything() {
  TALLY_TRY_ASSIGN(auto source,
                   plan_.windows(parts_.payloads, WindowNumber(0), RecordNumber(1)));
  WindowPipeline pipeline(std::move(source), *plan_.writer);
  std::uint64_t checked = 0;
  while (!attempts_.must_pause()) {
    TALLY_TRY_ASSIGN(const auto window, pipeline.next());
    if (!window) return {};
    checked += window->record_count;
    TALLY_TRY(attempts_.make([&]() -> Result<bool> {
      TALLY_TRY(parts_.jobs.set_checked_items(claim_, checked));
      return true;
    }));
  }
  return {};
}

Result<void> WholeJob::write_everything() {
  while (true) {
    TALLY_TRY_ASSIGN(auto written, write_windows());
    // A trigger rolled the transaction back; the writer now knows the record.
    if (!written) continue;
    return decide(std::move(*written));
  }
}

// kLost where the job was ended from outside, or is about to be.
Result<void> WholeJob::check_may_go_on() {
  if (attempts_.must_pause()) return must_stop();
  if (!parts_.jobs.end_is_requested(claim_.job)) return {};
  return Error{ErrorCode::kLost, "the job is being ended from outside"};
}

Result<std::optional<WholeJob::Written>> WholeJob::write_windows() {
  TALLY_TRY_ASSIGN(const auto keys, plan_.note_keys(parts_));
  Written written;
  TALLY_TRY_ASSIGN(written.spool, LedgerSpool::create(parts_.payloads.scratch_path(
                                      plan_.job.id, "spool")));
  TALLY_TRY_ASSIGN(auto source,
                   plan_.windows(parts_.payloads, WindowNumber(0), RecordNumber(1)));
  WindowPipeline pipeline(std::move(source), *plan_.writer);
  TALLY_TRY_ASSIGN(written.transaction,
                   parts_.database.begin_write(settings_.writer_wait));
  TALLY_TRY(parts_.ledger.sign(*written.transaction, claim_));
  TALLY_TRY(parts_.jobs.renew(claim_, settings_.lease_time));  // Still ours?
  while (!written.cut) {
    TALLY_TRY(check_may_go_on());
    TALLY_TRY_ASSIGN(const auto window, pipeline.next());
    if (!window) break;
    auto cut = write_window(written, *window, keys.get());
    if (!cut.ok() && cut.error().code == ErrorCode::kLost) {
      return std::optional<Written>();
    }
    TALLY_TRY_ASSIGN(written.cut, std::move(cut));
  }
  if (written.refusal.empty() && plan_.job.options.atomic && !budget_ &&
      written.counts.failed > 0) {
    written.refusal = std::to_string(written.counts.failed) +
                      " records failed, so nothing was written; correct them and send "
                      "the job again";
  }
  return std::optional(std::move(written));
}

// True where the error budget was passed.
Result<bool> WholeJob::write_window(Written& written, const PreparedWindow& window,
                                    KeyTable* keys) {
  WriteOptions options{.failures_max = std::nullopt, .keys = keys};
  if (budget_) options.failures_max = *budget_ - written.counts.failed;
  TALLY_TRY_ASSIGN(
      const UnitOutcomes outcomes,
      plan_.writer->write(*written.transaction, *window.bound, SliceNumber(0), options));
  TALLY_TRY(written.spool->append(window.number, outcomes));
  written.counts += count_outcomes(outcomes.outcomes);
  if (keys) TALLY_TRY(keys->add_applied(*window.bound, outcomes));
  if (!budget_ || written.counts.failed <= *budget_) return false;
  written.refusal =
      budget_message(plan_.job, *budget_, outcomes.record(outcomes.size() - 1));
  return true;
}

Result<void> WholeJob::decide(Written written) {
  JobVerdict verdict;
  if (written.refusal.empty()) {
    TALLY_TRY_ASSIGN(verdict, judge_job(parts_, *written.transaction, plan_,
                                        written.counts, written.spool->ids()));
    if (plan_.job.options.atomic && !verdict.totals_hold) {
      written.refusal = verdict.detail + "; nothing was written";
    }
  }
  if (written.refusal.empty() && !plan_.job.options.dry_run) {
    return commit(std::move(written), verdict);
  }
  return store_after_rollback(std::move(written), verdict);
}

Result<void> WholeJob::commit(Written written, const JobVerdict& verdict) {
  db::Transaction& transaction = *written.transaction;
  TALLY_TRY(written.spool->for_each([&](WindowNumber window,
                                        const UnitOutcomes& outcomes) -> Result<void> {
    const UnitPlace unit{.window = window};
    TALLY_TRY(parts_.ledger.begin_unit(transaction, claim_, unit));
    return parts_.ledger.end_unit(transaction, claim_, unit, outcomes.size(), outcomes);
  }));
  for (const StoredAggregate& aggregate : verdict.aggregates) {
    TALLY_TRY(parts_.aggregates.answer(transaction, aggregate));
  }
  TALLY_TRY(parts_.jobs.apply(transaction, {.id = plan_.job.id,
                                            .event = JobEvent::kFinished,
                                            .detail = verdict.detail,
                                            .claim = claim_,
                                            .upload = std::nullopt,
                                            .verified = verdict.verified}));
  TALLY_TRY(transaction.commit());
  parts_.jobs.announce();
  return {};
}

Result<void> WholeJob::store_after_rollback(Written written, const JobVerdict& verdict) {
  written.transaction->rollback();
  written.transaction.reset();
  const bool gave_up = !written.refusal.empty();
  // A dry run of a partial job that passed its budget keeps what it found, as the job
  // would.
  const bool keep_outcomes = !gave_up || !plan_.job.options.atomic;

  TALLY_TRY_ASSIGN(auto transaction, parts_.database.begin_write(settings_.writer_wait));
  TALLY_TRY(written.spool->for_each(
      [&](WindowNumber window, UnitOutcomes outcomes) -> Result<void> {
        const UnitOutcomes kept = rolled_back(std::move(outcomes), keep_outcomes);
        const UnitPlace unit{.window = window};
        TALLY_TRY(parts_.ledger.begin_unit(*transaction, claim_, unit));
        return parts_.ledger.end_unit(*transaction, claim_, unit, kept.size(), kept);
      }));
  for (const StoredAggregate& aggregate : verdict.aggregates) {
    if (!gave_up) TALLY_TRY(parts_.aggregates.answer(*transaction, aggregate));
  }
  TALLY_TRY(parts_.jobs.apply(*transaction,
                              {.id = plan_.job.id,
                               .event = gave_up ? JobEvent::kGaveUp : JobEvent::kFinished,
                               .detail = gave_up ? written.refusal : verdict.detail,
                               .claim = claim_,
                               .upload = std::nullopt,
                               .verified = verdict.verified}));
  TALLY_TRY(transaction->commit());
  parts_.jobs.announce();
  return {};
}

}  // namespace tallyman
