// What every JobStore must do with turns and leases.
#pragma once

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "store/store_backend.h"

namespace tallyman {

class ClaimConformance : public StoreConformance {
 protected:
  void lease_runs_out() { clock().advance(kLease + std::chrono::milliseconds(1)); }

  Job submit_of(const std::string& owner, const std::string& table, std::uint64_t items,
                bool parallel = false) {
    NewJob made = new_job(table);
    made.owner = owner;
    made.parallel = parallel;
    return must(jobs().apply(upload_completed(must(jobs().create(made)), items)));
  }
  Job submit_parallel(const std::string& owner = "ann", std::uint64_t items = 300) {
    return submit_of(owner, "people", items, true);
  }
  // The first letters of the owners of the next claims, which are held.
  std::string owners_of_claims(int count) {
    std::string owners;
    for (int i = 0; i < count; ++i) {
      const auto claimed = must(jobs().claim("worker", make_plan(), 1, kLease));
      if (!claimed) break;
      owners += must(jobs().find(claimed->job)).owner.front();
    }
    return owners;
  }
};

TEST_P(ClaimConformance, FindsNothingWhereNothingWaits) {
  EXPECT_TRUE(nothing_to_claim());
  open();
  abort(submit());
  EXPECT_TRUE(nothing_to_claim());
}

TEST_P(ClaimConformance, TheFirstClaimStartsTheJobAndFixesItsPlan) {
  const Job job = submit();
  clock().advance(std::chrono::seconds(3));
  const Claim held = claim();
  EXPECT_EQ(held.job, job.number);
  EXPECT_EQ(held.slices, std::vector{SliceNumber(0)});
  EXPECT_EQ(held.epoch, job.epoch);
  EXPECT_TRUE(held.first);
  EXPECT_FALSE(held.reclaimed);

  const Job started = must(jobs().find(job.id));
  EXPECT_EQ(started.state, JobState::kInProgress);
  EXPECT_EQ(started.started_at, clock().now());
  ASSERT_TRUE(started.plan.has_value());
  EXPECT_EQ(started.plan->window_records, 100u);
  EXPECT_EQ(started.plan->window_bytes, 1'000u);
  EXPECT_EQ(started.plan->slices, 1u);
  EXPECT_EQ(events_of(job),
            (std::vector<std::string>{"created", "upload_completed", "claimed"}));
}

TEST_P(ClaimConformance, ALaterClaimKeepsThePlan) {
  const Job job = submit();
  must(jobs().release(claim()));
  const auto other_plan = [](const Job&) {
    return WindowPlan{.window_records = 7, .window_bytes = 7, .slices = 4};
  };
  const auto again = must(jobs().claim("worker-2", other_plan, 1, kLease));
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->first);
  EXPECT_EQ(must(jobs().find(job.id)).plan->window_records, 100u);
  EXPECT_FALSE(must(jobs().claim("worker-3", other_plan, 1, kLease)).has_value());
}

TEST_P(ClaimConformance, ALivingLeaseIsNotGivenTwice) {
  submit();
  claim();
  EXPECT_TRUE(nothing_to_claim());
  clock().advance(kLease - std::chrono::milliseconds(1));
  EXPECT_TRUE(nothing_to_claim());
}

TEST_P(ClaimConformance, JobsOfATableGoInTheOrderOfSubmission) {
  const Job first = open();
  const Job second = submit();
  const Job third = must(jobs().apply(upload_completed(first)));
  const Claim one = claim();
  EXPECT_EQ(one.job, second.number);
  EXPECT_TRUE(nothing_to_claim());
  finish(one);
  const Claim two = claim();
  EXPECT_EQ(two.job, third.number);
  EXPECT_TRUE(nothing_to_claim());
}

TEST_P(ClaimConformance, AnEndOfAnyKindIsTheNextOnesTurn) {
  const Job first = submit();
  const Job second = submit();
  const Job third = submit();
  claim();
  abort(first);
  EXPECT_EQ(claim().job, second.number);
  must(jobs().apply({.id = second.id, .event = JobEvent::kGaveUp}));
  EXPECT_EQ(claim().job, third.number);
}

TEST_P(ClaimConformance, TablesGoSideBySideTheOldestSubmissionFirst) {
  for (int i = 0; i < 3; ++i) submit("a");
  clock().advance(std::chrono::seconds(1));
  const Job b = submit("b");
  clock().advance(std::chrono::seconds(1));
  const Job c = submit("c");
  const Claim first = claim();
  EXPECT_EQ(must(jobs().find(first.job)).table, "a");
  EXPECT_EQ(claim().job, b.number);
  EXPECT_EQ(claim().job, c.number);
  EXPECT_TRUE(nothing_to_claim());
}

// --- Owners ---------------------------------------------------------------------------

// Two owners with work for ever, one worker: of four jobs three are the heavier one's.
TEST_P(ClaimConformance, OwnersGetWorkInTheProportionOfTheirWeights) {
  backend_->weights = OwnerWeights({{"shop", 3}});
  backend_->restart();
  for (int i = 0; i < 24; ++i) {
    submit_of("shop", "s" + std::to_string(i), 2);
    submit_of("batch", "b" + std::to_string(i), 2);
  }
  EXPECT_EQ(owners_of_claims(16), "sbssbsssbsssbsss");
  // Where one has nothing to do the other gets everything, and nobody saves up.
  backend_->weights = {};
  backend_->restart();
  EXPECT_EQ(owners_of_claims(32).substr(0, 12), "bsbsbsbsbsbs");
  EXPECT_EQ(owners_of_claims(1), "");
  for (int i = 0; i < 100; ++i) submit_of("shop", "t" + std::to_string(i), 2);
  EXPECT_EQ(owners_of_claims(90), std::string(90, 's'));
  for (int i = 0; i < 4; ++i) submit_of("late", "l" + std::to_string(i), 2);
  EXPECT_EQ(owners_of_claims(8), "lslslsls");
}

// A large job is as many small ones; of one that ends early the rest is given back.
TEST_P(ClaimConformance, WhatCountsIsTheWorkNotTheNumberOfJobs) {
  submit_of("large", "a", 98);
  submit_of("large", "b", 98);
  for (int i = 0; i < 50; ++i) submit_of("small", "s" + std::to_string(i), 9);
  EXPECT_EQ(owners_of_claims(12), "lssssssssssl");
  submit_of("large", "c", 98);
  submit_of("large", "d", 98);
  const Claim third = claim();
  EXPECT_EQ(must(jobs().find(third.job)).owner, "small");
  abort(must(jobs().find(third.job)));
  EXPECT_EQ(owners_of_claims(11),
            "ssssssssssl");  // Kept, it would have cost one of them.
}

TEST_P(ClaimConformance, AJobThatIsUnderWayIsJoinedByTheSameRule) {
  const Job first = submit_of("ann", "a", 50);
  const Job second = submit_of("ann", "b", 50);
  const Job other = submit_of("bob", "c", 500);
  const Claim one = claim(8);
  EXPECT_EQ(one.job, first.number);
  EXPECT_EQ(claim(8).job, other.number);
  // Of two of one owner the older one.
  EXPECT_EQ(claim(8).job, first.number);
  (void)second;
}

// --- Parallel -------------------------------------------------------------------------

TEST_P(ClaimConformance, ParallelJobsOfATableGoSideBySide) {
  const Job a = submit_parallel();
  const Job b = submit_parallel();
  const Job alone = submit();
  const Job c = submit_parallel();
  const Claim first = claim();
  const Claim second = claim();
  EXPECT_EQ(first.job, a.number);
  EXPECT_EQ(second.job, b.number);
  EXPECT_TRUE(nothing_to_claim());  // The one that is not waits for all before it ...
  finish(second);
  EXPECT_TRUE(nothing_to_claim());
  finish(first);
  const Claim third = claim();
  EXPECT_EQ(third.job, alone.number);
  EXPECT_TRUE(nothing_to_claim());  // ... and all after it wait for it.
  finish(third);
  EXPECT_EQ(claim().job, c.number);
}

TEST_P(ClaimConformance, ParallelJobsAreSharedOutAmongOwnersToo) {
  for (int i = 0; i < 30; ++i) submit_parallel("ann", 2);
  for (int i = 0; i < 3; ++i) submit_parallel("bob", 2);
  EXPECT_EQ(owners_of_claims(7), "abababa");
}

TEST_P(ClaimConformance, OfAParallelJobWhatAnyOtherWroteIsSince) {
  const Job a = submit_parallel();
  const Job b = submit_parallel();
  const Claim first = claim();
  const Claim second = claim();
  must(write_unit(second, 0, outcomes(1, 300)));
  EXPECT_FALSE(must(jobs().written_since(finish(second))));
  clock().advance(std::chrono::seconds(1));
  EXPECT_EQ(first.job, a.number);
  must(write_unit(first, 0,
                  outcomes(1, 300)));  // It was submitted before, and writes now.
  EXPECT_TRUE(must(jobs().written_since(must(jobs().find(b.id)))));
  finish(first);
  EXPECT_TRUE(must(jobs().written_since(must(jobs().find(b.id)))));
  EXPECT_TRUE(must(jobs().find(a.id)).parallel);
}

TEST_P(ClaimConformance, SlicesGoToDifferentWorkers) {
  submit();
  std::set<std::int64_t> slices;
  std::set<std::int64_t> tokens;
  for (int i = 0; i < 4; ++i) {
    const Claim held = claim(4);
    EXPECT_EQ(held.first, i == 0);
    ASSERT_EQ(held.slices.size(), 1u);
    slices.insert(held.slices.front().value());
    tokens.insert(held.token.value());
  }
  EXPECT_EQ(slices, (std::set<std::int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(tokens.size(), 4u);
  EXPECT_TRUE(nothing_to_claim());
}

TEST_P(ClaimConformance, ALaneTakesItsShareOfTheSlices) {
  submit();
  const auto share = [&](std::uint32_t lanes) {
    return must(jobs().claim("worker-1", make_plan(5), lanes, kLease)).value().slices;
  };
  const std::vector<SliceNumber> first = {SliceNumber(0), SliceNumber(1), SliceNumber(2)};
  EXPECT_EQ(share(2), first);
  EXPECT_EQ(share(3), (std::vector{SliceNumber(3), SliceNumber(4)}));
  EXPECT_TRUE(nothing_to_claim());
}

TEST_P(ClaimConformance, AClaimIsLostWithTheFirstOfItsSlices) {
  const Job job = submit();
  const Claim dead = must(jobs().claim("worker-1", make_plan(2), 1, kLease)).value();
  ASSERT_EQ(dead.slices.size(), 2u);
  lease_runs_out();
  const Claim taken = must(jobs().claim("worker-2", make_plan(2), 2, kLease)).value();
  EXPECT_EQ(taken.slices, std::vector{SliceNumber(0)});
  EXPECT_TRUE(taken.reclaimed);
  EXPECT_EQ(code(jobs().renew(dead, kLease)), ErrorCode::kLost);
  EXPECT_EQ(must(jobs().history(job.number)).back().detail, "slice 0 of worker worker-1");
}

TEST_P(ClaimConformance, AFinishedSliceIsNotGivenAgain) {
  submit("people", 100);
  const Claim zero = claim(2);
  const Claim one = claim(2);
  UnitOutcomes half = outcomes(1, 50);
  for (std::uint32_t i = 0; i < 50; ++i) half.places.push_back(i * 2);
  must(write_unit(zero, 0, half, 100));
  must(jobs().release(zero));
  EXPECT_TRUE(nothing_to_claim());
  must(jobs().release(one));
  EXPECT_EQ(claim(2).slices, std::vector{SliceNumber(1)});
}

TEST_P(ClaimConformance, WhoWroteTheLastAndDiedIsReplaced) {
  submit("people", 100);
  const Claim zero = claim(2);
  const Claim one = claim(2);
  must(write_unit(zero, 0, outcomes(1, 50), 100));
  must(write_unit(one, 0, outcomes(51, 50), 100));
  lease_runs_out();
  const Claim finisher = claim(2);
  EXPECT_TRUE(finisher.reclaimed);
  EXPECT_EQ(finish(finisher).counts.created, 100u);
}

TEST_P(ClaimConformance, ASliceOfADeadWorkerIsReclaimed) {
  const Job job = submit();
  const Claim dead = claim();
  lease_runs_out();
  const Claim held = claim();
  EXPECT_TRUE(held.reclaimed);
  EXPECT_FALSE(held.first);
  EXPECT_NE(held.token, dead.token);
  EXPECT_EQ(events_of(job).back(), "slice_reclaimed");

  EXPECT_EQ(code(jobs().renew(dead, kLease)), ErrorCode::kLost);
  EXPECT_EQ(code(jobs().set_checked_items(dead, 5)), ErrorCode::kLost);
  EXPECT_EQ(
      code(jobs().apply({.id = job.id, .event = JobEvent::kFinished, .claim = dead})),
      ErrorCode::kLost);
  must(jobs().release(dead));  // Fine, and takes nothing away.
  must(jobs().renew(held, kLease));
  EXPECT_TRUE(nothing_to_claim());
  EXPECT_EQ(finish(held).state, JobState::kJobComplete);
}

TEST_P(ClaimConformance, ARenewedLeaseLives) {
  submit();
  const Claim held = claim();
  for (int i = 0; i < 5; ++i) {
    clock().advance(kLease / 2);
    must(jobs().renew(held, kLease));
    EXPECT_TRUE(nothing_to_claim());
  }
  lease_runs_out();
  EXPECT_FALSE(nothing_to_claim());
}

TEST_P(ClaimConformance, AReleasedSliceIsFreeAtOnce) {
  const Job job = submit();
  const Claim held = claim();
  must(jobs().renew(held, kLease));
  must(jobs().release(held));
  const Claim next = claim();
  EXPECT_FALSE(next.reclaimed);
  EXPECT_EQ(events_of(job).size(), 3u);
  EXPECT_EQ(code(jobs().renew(held, kLease)), ErrorCode::kLost);
}

TEST_P(ClaimConformance, AnAbortedJobsClaimIsLost) {
  const Job job = submit();
  const Claim held = claim();
  abort(job);
  EXPECT_EQ(code(jobs().renew(held, kLease)), ErrorCode::kLost);
  EXPECT_EQ(code(jobs().set_checked_items(held, 1)), ErrorCode::kLost);
  EXPECT_EQ(
      code(jobs().apply({.id = job.id, .event = JobEvent::kFinished, .claim = held})),
      ErrorCode::kLost);
  EXPECT_EQ(must(jobs().find(job.id)).state, JobState::kAborted);
}

TEST_P(ClaimConformance, TheSecondToFinishGetsAConflict) {
  const Job job = submit();
  const Claim held = claim();
  finish(held);
  EXPECT_EQ(
      code(jobs().apply({.id = job.id, .event = JobEvent::kFinished, .claim = held})),
      ErrorCode::kConflict);
}

TEST_P(ClaimConformance, CheckedItemsAreTheHolders) {
  const Job job = submit();
  const Claim held = claim();
  must(jobs().set_checked_items(held, 150));
  EXPECT_EQ(must(jobs().find(job.id)).checked_items, 150u);
}

TEST_P(ClaimConformance, ARetryIsClaimedWhileItIsOpen) {
  open();
  EXPECT_FALSE(must(jobs().claim_retry("worker-1", kLease)).has_value());
  NewJob retry = new_job();
  retry.parent = abort(submit()).id;
  const Job child = must(jobs().create(retry));
  const auto held = must(jobs().claim_retry("worker-1", kLease));
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(held->job, child.number);
  EXPECT_FALSE(held->first);
  EXPECT_EQ(must(jobs().find(child.id)).state, JobState::kOpen);
  EXPECT_FALSE(must(jobs().claim_retry("worker-2", kLease)).has_value());
  must(jobs().renew(*held, kLease));

  JobChange change = upload_completed(child);
  change.claim = held;
  must(jobs().apply(change));
  EXPECT_EQ(claim().job, child.number);  // The copier's lease is over.
}

TEST_P(ClaimConformance, AnAbortedRetryIsLostToItsCopier) {
  NewJob retry = new_job();
  retry.parent = abort(submit()).id;
  const Job child = must(jobs().create(retry));
  const Claim held = *must(jobs().claim_retry("worker-1", kLease));
  abort(child);
  EXPECT_EQ(code(jobs().renew(held, kLease)), ErrorCode::kLost);
  JobChange change = upload_completed(child);
  change.claim = held;
  EXPECT_EQ(code(jobs().apply(change)), ErrorCode::kLost);
}

TEST_P(ClaimConformance, ManyClaimersOneHolder) {
  constexpr int kThreads = 8;
  for (int round = 0; round < 5; ++round) {
    const Job job = submit();
    std::atomic<int> holders = 0;
    std::vector<std::thread> threads;
    std::mutex mutex;
    std::optional<Claim> held;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        const auto claimed =
            must(jobs().claim("worker-" + std::to_string(i), make_plan(), 1, kLease));
        if (!claimed) return;
        ++holders;
        const std::lock_guard lock(mutex);
        held = claimed;
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(holders, 1);
    finish(*held);
  }
}

}  // namespace tallyman
