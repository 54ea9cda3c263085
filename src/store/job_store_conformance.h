// What every JobStore must do with jobs, their history and their lists; turns and leases
// are in store/claim_conformance.h.
#pragma once

#include <algorithm>
#include <atomic>
#include <thread>

#include "store/store_backend.h"

namespace tallyman {

class JobStoreConformance : public StoreConformance {
 protected:
  // A new job, led to `state` the way a real one would be. `held` is the claim of one In
  // Progress.
  Job job_in(JobState state, std::optional<Claim>& held) {
    const Job job = open("table-" + std::to_string(++tables_));
    if (state == JobState::kOpen) return job;
    if (state == JobState::kAborted) return abort(job);
    must(jobs().apply(upload_completed(job)));
    if (state == JobState::kUploadComplete) return must(jobs().find(job.id));
    held = claim();
    CHECK(held->job == job.number);
    if (state == JobState::kJobComplete) return finish(*held);
    if (state == JobState::kFailed) {
      return must(
          jobs().apply({.id = job.id, .event = JobEvent::kGaveUp, .claim = held}));
    }
    return must(jobs().find(job.id));
  }

  JobChange change_of(const Job& job, JobEvent event) {
    if (event == JobEvent::kUploadCompleted) return upload_completed(job);
    return {.id = job.id, .event = event, .by = "bob", .detail = "the reason"};
  }

  std::vector<JobNumber> numbers(const JobFilter& filter) {
    std::vector<JobNumber> found;
    for (const Job& job : must(jobs().list(filter))) found.push_back(job.number);
    return found;
  }

  int tables_ = 0;
};

TEST_P(JobStoreConformance, KeepsAsWhomAJobRunsAndWhetherBesideOthers) {
  NewJob made = new_job();
  made.acting = {.role = "te\"nant", .claims = {{"app.tenant", "7"}}};
  made.parallel = true;
  const Job job = must(jobs().create(made));
  backend_->restart();
  const Job found = must(jobs().find(job.id));
  EXPECT_EQ(found.acting, made.acting);
  EXPECT_TRUE(found.parallel);
  EXPECT_EQ(must(jobs().history(job.number)).front().detail, "as role te\"nant");

  const Job plain = must(jobs().find(open("plain").id));
  EXPECT_FALSE(plain.acting.is_somebody());
  EXPECT_FALSE(plain.parallel);
}

// All pairs of state and event: the allowed ones do what the table says and are written
// into the history, the others change nothing at all.
TEST_P(JobStoreConformance, FollowsTheTransitionTable) {
  for (const JobState state : kAllJobStates) {
    for (const JobEvent event : kAllJobEvents) {
      SCOPED_TRACE(std::string(name(state)) + " + " + std::string(name(event)));
      std::optional<Claim> held;
      const Job before = job_in(state, held);
      const auto history_before = must(jobs().history(before.number));
      clock().advance(std::chrono::seconds(1));

      const auto applied = jobs().apply(change_of(before, event));
      const Job after = must(jobs().find(before.id));
      const auto history = must(jobs().history(before.number));

      if (const auto expected = next_state(state, event)) {
        ASSERT_TRUE(applied.ok()) << applied.error().message;
        EXPECT_EQ(applied.value().state, *expected);
        EXPECT_EQ(after.state, *expected);
        EXPECT_EQ(after.updated_at, clock().now());
        EXPECT_EQ(after.completed_at.has_value(), is_terminal(*expected));
        ASSERT_EQ(history.size(), history_before.size() + 1);
        EXPECT_EQ(history.back().event, name(event));
        EXPECT_EQ(history.back().from, state);
        EXPECT_EQ(history.back().to, *expected);
        EXPECT_EQ(history.back().at, clock().now());
      } else {
        EXPECT_EQ(code(applied), ErrorCode::kConflict);
        EXPECT_EQ(applied.error().detail_code, "INVALID_STATE");
        EXPECT_EQ(after.state, state);
        EXPECT_EQ(after.updated_at, before.updated_at);
        EXPECT_EQ(after.epoch, before.epoch);
        EXPECT_EQ(history.size(), history_before.size());
      }
      if (!is_terminal(after.state)) abort(after);
    }
  }
}

TEST_P(JobStoreConformance, KeepsWhatAJobWasMadeOf) {
  NewJob made = new_job("people");
  made.resource = "persons";
  made.operation = Operation::kUpsert;
  made.options.unique_fields = {"name"};
  made.options.dry_run = true;
  made.options.max_errors = 7;
  made.idempotency_key = "k1";
  made.parent = open().id;
  made.superseded = 3;

  const Job created = must(jobs().create(made));
  const Job found = must(jobs().find(made.id));
  EXPECT_EQ(found.number, created.number);
  EXPECT_EQ(must(jobs().find(created.number)).id, made.id);
  EXPECT_EQ(found.resource, "persons");
  EXPECT_EQ(found.table, "people");
  EXPECT_EQ(found.operation, Operation::kUpsert);
  EXPECT_EQ(found.state, JobState::kOpen);
  EXPECT_EQ(found.owner, "ann");
  EXPECT_EQ(found.created_by, "ann-laptop");
  EXPECT_EQ(found.options, made.options);
  EXPECT_EQ(found.created_at, clock().now());
  EXPECT_EQ(found.idempotency_key, "k1");
  EXPECT_EQ(found.parent, made.parent);
  EXPECT_EQ(found.superseded, 3u);
  EXPECT_EQ(found.epoch, Epoch(0));
  EXPECT_EQ(found.submission, std::nullopt);
  EXPECT_EQ(found.total_items, std::nullopt);
  EXPECT_EQ(found.started_at, std::nullopt);
  EXPECT_EQ(found.completed_at, std::nullopt);
  EXPECT_EQ(found.counts, OutcomeCounts());
}

TEST_P(JobStoreConformance, KeepsWhatAnUploadFixes) {
  const Job job = open();
  JobChange change = upload_completed(job, 42);
  change.upload->operation = Operation::kUpsert;
  change.upload->options = JobOptions();
  change.upload->options->unique_fields = {"id"};
  change.upload->superseded = 5;
  must(jobs().apply(change));

  const Job found = must(jobs().find(job.id));
  EXPECT_EQ(found.total_items, 42u);
  EXPECT_EQ(found.upload_bytes, 420u);
  EXPECT_EQ(found.columns, (std::vector<std::string>{"id", "na\nme"}));
  EXPECT_EQ(found.fingerprint, "f");
  EXPECT_EQ(found.operation, Operation::kUpsert);
  EXPECT_EQ(found.options, *change.upload->options);
  EXPECT_EQ(found.superseded, 5u);
}

TEST_P(JobStoreConformance, BeginsTheHistoryWithCreated) {
  const auto history = must(jobs().history(open().number));
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history[0].sequence, 1);
  EXPECT_EQ(history[0].event, "created");
  EXPECT_EQ(history[0].from, std::nullopt);
  EXPECT_EQ(history[0].to, JobState::kOpen);
  EXPECT_EQ(history[0].by, "ann-laptop");
}

TEST_P(JobStoreConformance, NotesWithoutAChangeOfState) {
  const Job job = open();
  must(jobs().note(job.number, "payload_removed", "system", "why"));
  const auto history = must(jobs().history(job.number));
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[1].event, "payload_removed");
  EXPECT_EQ(history[1].to, std::nullopt);
  EXPECT_EQ(history[1].detail, "why");
  EXPECT_EQ(code(jobs().note(JobNumber(99), "x", "y", "z")), ErrorCode::kNotFound);
}

// The clock may be set back, and two nodes have two.
TEST_P(JobStoreConformance, AHistoryNeverGoesBackInTime) {
  const Job job = open();
  const Timestamp created = clock().now();
  clock().advance(-std::chrono::seconds(5));
  must(jobs().note(job.number, "noted", "system", ""));
  must(jobs().apply(upload_completed(job)));
  clock().advance(std::chrono::seconds(6));
  must(jobs().note(job.number, "noted", "system", ""));
  std::vector<Timestamp> times;
  for (const auto& entry : must(jobs().history(job.number))) times.push_back(entry.at);
  EXPECT_EQ(times, (std::vector<Timestamp>{created, created, created,
                                           created + std::chrono::seconds(1)}));
}

TEST_P(JobStoreConformance, KnowsWhichJobsThereAre) {
  EXPECT_EQ(code(jobs().find(new_job().id)), ErrorCode::kNotFound);
  EXPECT_EQ(code(jobs().find(JobNumber(99))), ErrorCode::kNotFound);
  EXPECT_EQ(code(jobs().apply({.id = new_job().id, .event = JobEvent::kAbortRequested})),
            ErrorCode::kNotFound);
  EXPECT_EQ(code(jobs().remove(new_job().id)), ErrorCode::kNotFound);
}

TEST_P(JobStoreConformance, SaysWhyAJobEnded) {
  const Job aborted = abort(open());
  EXPECT_EQ(aborted.message, "why not");
  const Job refused = must(jobs().apply(
      {.id = open().id, .event = JobEvent::kUploadRefused, .detail = "no header"}));
  EXPECT_EQ(refused.message, "no header");
  const Job failed = must(jobs().apply(
      {.id = submit().id, .event = JobEvent::kGaveUp, .detail = "too many errors"}));
  EXPECT_EQ(failed.message, "too many errors");
}

TEST_P(JobStoreConformance, SaysWhatControlTotalDiffers) {
  const Job job = submit();
  const Claim held = claim();
  const Job done = must(jobs().apply({.id = job.id,
                                      .event = JobEvent::kFinished,
                                      .detail = "count differs",
                                      .claim = held,
                                      .verified = false}));
  EXPECT_FALSE(done.verified);
  EXPECT_EQ(done.message, "count differs");
  submit();
  EXPECT_TRUE(finish(claim()).verified);
}

TEST_P(JobStoreConformance, RaisesTheEpochWhenAJobIsStopped) {
  EXPECT_EQ(abort(submit()).epoch, Epoch(1));
  const Job failed = must(jobs().apply({.id = submit().id, .event = JobEvent::kGaveUp}));
  EXPECT_EQ(failed.epoch, Epoch(1));
}

TEST_P(JobStoreConformance, NumbersSubmissionsByTable) {
  const Job first = open("a");
  const Job second = open("a");
  EXPECT_EQ(must(jobs().apply(upload_completed(second))).submission, 1);
  EXPECT_EQ(must(jobs().apply(upload_completed(first))).submission, 2);
  EXPECT_EQ(submit("b").submission, 1);
  EXPECT_EQ(submit("a").submission, 3);
}

TEST_P(JobStoreConformance, OneOfTwoRacingCallersGetsAConflict) {
  for (int round = 0; round < 10; ++round) {
    const Job job = submit();
    std::atomic<int> won = 0;
    std::atomic<int> conflicts = 0;
    const auto race = [&](JobEvent event) {
      const auto applied = jobs().apply({.id = job.id, .event = event});
      if (applied.ok()) {
        ++won;
      } else if (applied.error().code == ErrorCode::kConflict) {
        ++conflicts;
      }
    };
    std::thread other(race, JobEvent::kAbortRequested);
    race(JobEvent::kGaveUp);
    other.join();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(conflicts, 1);
    EXPECT_EQ(must(jobs().history(job.number)).size(), 3u);
  }
}

TEST_P(JobStoreConformance, AppliesWithinATransactionOfTheCaller) {
  const Job job = open();
  {
    auto dropped = must(backend_->database().begin_write(kWait));
    must(jobs().apply(*dropped, upload_completed(job)));
  }
  EXPECT_EQ(must(jobs().find(job.id)).state, JobState::kOpen);
  auto kept = must(backend_->database().begin_write(kWait));
  must(jobs().apply(*kept, upload_completed(job)));
  must(kept->commit());
  EXPECT_EQ(must(jobs().find(job.id)).state, JobState::kUploadComplete);
  EXPECT_EQ(must(jobs().find(job.id)).submission, 1);
}

TEST_P(JobStoreConformance, GivesAKeyToOneJobOfAnOwnerAndResource) {
  NewJob job = new_job();
  job.idempotency_key = "k";
  const Job first = must(jobs().create(job));
  job.id = new_job().id;
  EXPECT_EQ(code(jobs().create(job)), ErrorCode::kConflict);

  EXPECT_EQ(must(jobs().find_by_idempotency_key("ann", "people", "k"))->id, first.id);
  EXPECT_FALSE(must(jobs().find_by_idempotency_key("bob", "people", "k")).has_value());
  EXPECT_FALSE(must(jobs().find_by_idempotency_key("ann", "pets", "k")).has_value());
  EXPECT_FALSE(must(jobs().find_by_idempotency_key("ann", "people", "")).has_value());

  NewJob of_bob = new_job();
  of_bob.owner = "bob";
  of_bob.idempotency_key = "k";
  must(jobs().create(of_bob));
  NewJob of_pets = new_job("pets");
  of_pets.idempotency_key = "k";
  must(jobs().create(of_pets));
}

TEST_P(JobStoreConformance, FreesTheKeyOfAJobThatNeverHadItsUpload) {
  NewJob job = new_job();
  job.idempotency_key = "k";
  abort(must(jobs().create(job)));
  EXPECT_FALSE(must(jobs().find_by_idempotency_key("ann", "people", "k")).has_value());

  job.id = new_job().id;
  const Job second = must(jobs().create(job));
  abort(must(jobs().apply(upload_completed(second))));
  job.id = new_job().id;
  EXPECT_EQ(code(jobs().create(job)), ErrorCode::kConflict);
  EXPECT_EQ(must(jobs().find_by_idempotency_key("ann", "people", "k"))->id, second.id);
}

TEST_P(JobStoreConformance, ListsTheNewestFirstPageByPage) {
  std::vector<JobNumber> made;
  for (int i = 0; i < 5; ++i) made.insert(made.begin(), open().number);
  EXPECT_EQ(numbers({}), made);
  std::vector<JobNumber> paged;
  JobFilter filter{.limit = 2};
  while (true) {
    const auto page = numbers(filter);
    if (page.empty()) break;
    EXPECT_LE(page.size(), 2u);
    paged.insert(paged.end(), page.begin(), page.end());
    filter.before = page.back();
  }
  EXPECT_EQ(paged, made);
}

TEST_P(JobStoreConformance, ListsWhatAFilterAsksFor) {
  const Job person = open("people");
  const Timestamp between = clock().now() + std::chrono::seconds(1);
  clock().advance(std::chrono::seconds(2));
  const Job pet = abort(open("pets"));
  NewJob of_bob = new_job("plants");
  of_bob.owner = "bob";
  of_bob.operation = Operation::kDelete;
  const Job plant = must(jobs().create(of_bob));
  using Numbers = std::vector<JobNumber>;

  EXPECT_EQ(numbers({.resources = {"people", "plants"}}),
            (Numbers{plant.number, person.number}));
  EXPECT_EQ(numbers({.resources = {"nothing"}}), Numbers());
  EXPECT_EQ(numbers({.owner = "bob"}), Numbers{plant.number});
  EXPECT_EQ(numbers({.state = JobState::kAborted}), Numbers{pet.number});
  EXPECT_EQ(numbers({.operation = Operation::kDelete}), Numbers{plant.number});
  EXPECT_EQ(numbers({.created_before = between}), Numbers{person.number});
  EXPECT_EQ(numbers({.created_after = between}), (Numbers{plant.number, pet.number}));
  EXPECT_EQ(numbers({.resources = {"people", "pets"},
                     .owner = "ann",
                     .state = JobState::kOpen,
                     .operation = Operation::kInsert,
                     .before = JobNumber(99)}),
            Numbers{person.number});
}

TEST_P(JobStoreConformance, CountsWhatIsCommittedAlsoInAList) {
  const Job job = submit();
  const Claim held = claim();
  must(write_unit(held, 0, outcomes(1, 90, 10)));
  const OutcomeCounts one{.created = 90, .failed = 10};
  EXPECT_EQ(must(jobs().find(job.id)).counts, one);
  EXPECT_EQ(must(jobs().list({}))[0].counts, one);
  must(write_unit(held, 1, outcomes(101, 200)));
  const OutcomeCounts both{.created = 290, .failed = 10};
  EXPECT_EQ(finish(held).counts, both);
  EXPECT_EQ(must(jobs().list({}))[0].counts, both);
  // The counts outlive the ledger.
  must(jobs().expire_results(job.number));
  EXPECT_EQ(must(jobs().find(job.id)).counts, both);
}

TEST_P(JobStoreConformance, RemovesOnlyWhatHasEnded) {
  const Job job = submit();
  EXPECT_EQ(code(jobs().remove(job.id)), ErrorCode::kConflict);
  const Claim held = claim();
  must(write_unit(held, 0, outcomes(1, 300)));
  EXPECT_EQ(code(jobs().remove(job.id)), ErrorCode::kConflict);
  must(backend_->aggregates().request(job.number, {{"n", "{}"}}));
  finish(held);

  must(jobs().remove(job.id));
  EXPECT_EQ(code(jobs().find(job.id)), ErrorCode::kNotFound);
  EXPECT_TRUE(must(jobs().history(job.number)).empty());
  EXPECT_EQ(must(ledger().counts(job.number)), OutcomeCounts());
  EXPECT_TRUE(must(backend_->aggregates().find(job.number)).empty());
  EXPECT_GT(open().number, job.number);  // Numbers are not given out again.
}

TEST_P(JobStoreConformance, CountsRetriesAndNotesTheFirst) {
  const Job job = submit();
  for (int i = 0; i < 150; ++i) must(jobs().add_retry(job.number, "busy"));
  EXPECT_EQ(must(jobs().find(job.id)).retries, 150u);
  EXPECT_EQ(must(jobs().history(job.number)).size(), 102u);
}

TEST_P(JobStoreConformance, KeepsWhyThereIsOneLane) {
  const Job job = submit();
  must(jobs().set_lanes_reason(job.number, "a trigger"));
  EXPECT_EQ(must(jobs().find(job.id)).lanes_reason, "a trigger");
}

TEST_P(JobStoreConformance, FindsWhatRetentionIsAbout) {
  const Job forgotten = open();
  const Job early = abort(open());
  clock().advance(std::chrono::hours(24));
  const Timestamp time = clock().now();
  const Job recent = abort(open());
  open();
  const auto ids = [](const std::vector<Job>& found) {
    std::vector<JobNumber> all;
    for (const Job& job : found) all.push_back(job.number);
    return all;
  };
  using Numbers = std::vector<JobNumber>;
  EXPECT_EQ(ids(must(jobs().open_before(time))), Numbers{forgotten.number});
  EXPECT_EQ(ids(must(jobs().ended_before(time, 10))), Numbers{early.number});
  must(jobs().expire_results(early.number));
  EXPECT_EQ(ids(must(jobs().ended_before(time, 10))), Numbers());
  EXPECT_EQ(ids(must(jobs().removable_before(time, 10))), Numbers{early.number});
  clock().advance(std::chrono::hours(1));
  EXPECT_EQ(ids(must(jobs().removable_before(clock().now(), 10))),
            (Numbers{early.number, recent.number}));
  EXPECT_EQ(ids(must(jobs().removable_before(clock().now(), 1))), Numbers{early.number});
}

TEST_P(JobStoreConformance, ExpiresResultsOnceAndOnlyOfEndedJobs) {
  const Job job = submit();
  EXPECT_EQ(code(jobs().expire_results(job.number)), ErrorCode::kConflict);
  const Claim held = claim();
  must(write_unit(held, 0, outcomes(1, 300)));
  finish(held);
  must(jobs().expire_results(job.number));
  must(jobs().expire_results(job.number));
  EXPECT_TRUE(must(jobs().find(job.id)).results_expired);
  EXPECT_EQ(events_of(job).back(), "results_expired");
  EXPECT_EQ(std::ranges::count(events_of(job), "results_expired"), 1);
  EXPECT_FALSE(
      must(ledger().next_unit(job.number, WindowNumber(0), SliceNumber(0))).has_value());
}

TEST_P(JobStoreConformance, KnowsWhetherALaterJobHasWritten) {
  submit();
  Claim held = claim();
  must(write_unit(held, 0, outcomes(1, 300)));
  const Job first = finish(held);
  EXPECT_FALSE(must(jobs().written_since(first)));

  submit();
  held = claim();
  must(write_unit(held, 0, outcomes(1, 0, 300)));  // All failed: nothing written.
  finish(held);
  EXPECT_FALSE(must(jobs().written_since(first)));

  const Job dry = open();
  JobChange change = upload_completed(dry);
  change.upload->options = JobOptions{.dry_run = true};
  must(jobs().apply(change));
  held = claim();
  must(write_unit(held, 0, outcomes(1, 300)));  // Outcomes without an effect.
  finish(held);
  EXPECT_FALSE(must(jobs().written_since(first)));

  const Job later = submit();
  held = claim();
  must(write_unit(held, 0, outcomes(1, 300)));
  EXPECT_TRUE(must(jobs().written_since(first)));
  EXPECT_FALSE(must(jobs().written_since(finish(held))));
  must(jobs().remove(later.id));
  EXPECT_TRUE(must(jobs().written_since(first)));
}

TEST_P(JobStoreConformance, ARestartForgetsNothing) {
  const Job job = submit();
  const Claim held = claim();
  must(write_unit(held, 0, outcomes(1, 99, 1)));
  const Job before = must(jobs().find(job.id));
  const auto history = must(jobs().history(job.number));
  backend_->restart();
  const Job after = must(jobs().find(job.id));
  EXPECT_EQ(after.state, before.state);
  EXPECT_EQ(after.counts, before.counts);
  EXPECT_EQ(after.started_at, before.started_at);
  EXPECT_EQ(after.submission, before.submission);
  EXPECT_EQ(after.plan->window_records, 100u);
  EXPECT_EQ(must(jobs().history(job.number)).size(), history.size());
  EXPECT_EQ(must(ledger().position(job.number, SliceNumber(0))).next_record.value(), 101);
}

TEST_P(JobStoreConformance, WakesWhoWaitsForAChange) {
  const std::uint64_t seen = jobs().changes().version();
  EXPECT_EQ(jobs().changes().wait(seen, std::chrono::milliseconds(1)), seen);
  std::thread other([&] { must(jobs().create(new_job())); });
  EXPECT_GT(jobs().changes().wait(seen, kWait), seen);
  other.join();

  const std::uint64_t then = jobs().changes().version();
  jobs().announce();
  EXPECT_GT(jobs().changes().wait(then, kWait), then);
  EXPECT_GT(jobs().changes().wait(seen, kWait), seen);  // At once: it has changed.
}

TEST_P(JobStoreConformance, LookingInVainIsNoChange) {
  const std::uint64_t seen = jobs().changes().version();
  EXPECT_TRUE(nothing_to_claim());
  EXPECT_EQ(jobs().changes().version(), seen);
}

}  // namespace tallyman
