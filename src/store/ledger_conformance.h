// What every Ledger must do.
#pragma once

#include "store/store_backend.h"

namespace tallyman {

class LedgerConformance : public StoreConformance {
 protected:
  std::optional<LedgerUnit> next(const Job& job, std::int64_t window,
                                 std::int64_t slice = 0) {
    return must(ledger().next_unit(job.number, WindowNumber(window), SliceNumber(slice)));
  }
  SlicePosition position(const Job& job, std::int64_t slice = 0) {
    return must(ledger().position(job.number, SliceNumber(slice)));
  }
  static std::vector<RecordNumber> records(std::int64_t from, std::int64_t to) {
    std::vector<RecordNumber> all;
    for (std::int64_t i = from; i <= to; ++i) all.emplace_back(i);
    return all;
  }
};

TEST_P(LedgerConformance, GivesBackAUnitAsItWasWritten) {
  const Job job = submit();
  const Claim held = claim();
  UnitOutcomes unit = outcomes(1, 2, 1);
  unit.outcomes[1] = Outcome::kUpdated;
  must(write_unit(held, 0, unit, 300));

  const auto found = next(job, 0);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->window, WindowNumber(0));
  EXPECT_EQ(found->slice, SliceNumber(0));
  EXPECT_EQ(found->window_records, 300u);
  EXPECT_EQ(found->outcomes.outcomes, unit.outcomes);
  EXPECT_EQ(found->outcomes.ids.integers, unit.ids.integers);
  EXPECT_EQ(found->outcomes.errors, unit.errors);
}

TEST_P(LedgerConformance, AUnitIsCommittedOnce) {
  const Job job = submit();
  const Claim held = claim();
  must(write_unit(held, 0, outcomes(1, 100)));
  EXPECT_EQ(code(write_unit(held, 0, outcomes(1, 100))), ErrorCode::kConflict);
  EXPECT_EQ(must(ledger().counts(job.number)).created, 100u);
}

TEST_P(LedgerConformance, AUnitThatIsRolledBackCanBeWrittenAgain) {
  const Job job = submit();
  const Claim held = claim();
  {
    auto transaction = must(backend_->database().begin_write(kWait));
    must(ledger().begin_unit(*transaction, held, {}));
    must(ledger().end_unit(*transaction, held, {}, 100, outcomes(1, 100)));
  }
  EXPECT_FALSE(next(job, 0).has_value());
  must(write_unit(held, 0, outcomes(1, 100)));
}

TEST_P(LedgerConformance, AWindowIsNotLeftOut) {
  submit();
  const Claim held = claim();
  EXPECT_EQ(code(write_unit(held, 1, outcomes(101, 100))), ErrorCode::kInternal);
}

TEST_P(LedgerConformance, AUnitByAnOldClaimIsLost) {
  const Job job = submit();
  const Claim dead = claim();
  clock().advance(kLease + kLease);
  const Claim held = claim();
  EXPECT_EQ(code(write_unit(dead, 0, outcomes(1, 100))), ErrorCode::kLost);
  must(write_unit(held, 0, outcomes(1, 100)));
  EXPECT_EQ(code(write_unit(dead, 1, outcomes(101, 100))), ErrorCode::kLost);
  EXPECT_EQ(must(ledger().counts(job.number)).created, 100u);
}

TEST_P(LedgerConformance, ALeaseThatRanOutStillWritesWhileNobodyTookIt) {
  submit();
  const Claim held = claim();
  clock().advance(kLease + kLease);
  must(write_unit(held, 0, outcomes(1, 100)));
}

TEST_P(LedgerConformance, NothingIsWrittenAfterAnAbort) {
  const Job job = submit();
  const Claim held = claim();
  abort(job);
  EXPECT_EQ(code(write_unit(held, 0, outcomes(1, 100))), ErrorCode::kLost);
  EXPECT_FALSE(next(job, 0).has_value());
}

TEST_P(LedgerConformance, AUnitOfAJobThatIsGoneIsLost) {
  const Job job = submit();
  const Claim held = claim();
  abort(job);
  must(jobs().remove(job.id));
  EXPECT_EQ(code(write_unit(held, 0, outcomes(1, 100))), ErrorCode::kLost);
}

TEST_P(LedgerConformance, AnEndWithinTheUnitIsSeenAtItsEnd) {
  const Job job = submit();
  const Claim held = claim();
  auto transaction = must(backend_->database().begin_write(kWait));
  must(ledger().begin_unit(*transaction, held, {}));
  must(jobs().apply(*transaction, {.id = job.id, .event = JobEvent::kGaveUp}));
  EXPECT_EQ(code(ledger().end_unit(*transaction, held, {}, 100, outcomes(1, 100))),
            ErrorCode::kLost);
}

TEST_P(LedgerConformance, ACopierOfARetryMayNotWriteUnits) {
  NewJob retry = new_job();
  retry.parent = abort(submit()).id;
  must(jobs().create(retry));
  const Claim held = *must(jobs().claim_retry("worker-1", kLease));
  EXPECT_EQ(code(write_unit(held, 0, outcomes(1, 1))), ErrorCode::kLost);
}

TEST_P(LedgerConformance, ASliceGoesOnAfterItsLastUnit) {
  const Job job = submit();
  EXPECT_EQ(position(job).next_window, WindowNumber(0));
  EXPECT_EQ(position(job).next_record, RecordNumber(1));
  const Claim zero = claim(2);
  const Claim one = claim(2);
  must(write_unit(zero, 0, outcomes(1, 60), 100));
  must(write_unit(zero, 1, outcomes(101, 40), 70));
  must(write_unit(one, 0, outcomes(2, 0), 100));
  EXPECT_EQ(position(job, 0).next_window, WindowNumber(2));
  EXPECT_EQ(position(job, 0).next_record, RecordNumber(171));
  EXPECT_EQ(position(job, 1).next_window, WindowNumber(1));
  EXPECT_EQ(position(job, 1).next_record, RecordNumber(101));
}

TEST_P(LedgerConformance, UnitsAreReadInTheOrderOfTheFile) {
  const Job job = submit();
  const Claim zero = claim(2);
  const Claim one = claim(2);
  must(write_unit(one, 0, outcomes(2, 5), 10));
  must(write_unit(zero, 0, outcomes(1, 5), 10));
  must(write_unit(zero, 1, outcomes(11, 5), 10));

  std::vector<std::pair<std::int64_t, std::int64_t>> order;
  std::int64_t window = 0;
  std::int64_t slice = 0;
  while (const auto unit = next(job, window, slice)) {
    order.emplace_back(unit->window.value(), unit->slice.value());
    window = unit->window.value();
    slice = unit->slice.value() + 1;
  }
  EXPECT_EQ(order, (decltype(order){{0, 0}, {0, 1}, {1, 0}}));
  EXPECT_EQ(next(job, 1, 0)->window, WindowNumber(1));
  EXPECT_FALSE(next(job, 1, 1).has_value());
}

TEST_P(LedgerConformance, ASnapshotSeesNoLaterUnit) {
  const Job job = submit();
  const Claim held = claim();
  must(write_unit(held, 0, outcomes(1, 100)));
  auto snapshot = must(backend_->database().begin_read());
  must(write_unit(held, 1, outcomes(101, 100)));
  const auto in_snapshot = [&](std::int64_t window) {
    return must(
        ledger().next_unit(*snapshot, job.number, WindowNumber(window), SliceNumber(0)));
  };
  EXPECT_TRUE(in_snapshot(0).has_value());
  EXPECT_FALSE(in_snapshot(1).has_value());
  EXPECT_TRUE(next(job, 1).has_value());
}

TEST_P(LedgerConformance, SumsOutcomesAndErrors) {
  const Job job = submit();
  const Claim held = claim();
  must(write_unit(held, 0, outcomes(1, 90, 10)));
  UnitOutcomes mixed = outcomes(101, 0, 2);
  mixed.errors[1].second.code = RecordErrorCode::kNotFound;
  must(write_unit(held, 1, mixed));
  must(write_unit(held, 2, outcomes(103, 5)));

  EXPECT_EQ(must(ledger().counts(job.number)),
            (OutcomeCounts{.created = 95, .failed = 12}));
  const ErrorCounts counts = must(ledger().error_counts(job.number));
  EXPECT_EQ(counts[static_cast<std::size_t>(RecordErrorCode::kInvalidType)], 11u);
  EXPECT_EQ(counts[static_cast<std::size_t>(RecordErrorCode::kNotFound)], 1u);
  EXPECT_EQ(counts[static_cast<std::size_t>(RecordErrorCode::kForeignKeyViolation)], 0u);
}

TEST_P(LedgerConformance, TheFirstErrorsAreThoseOfTheFile) {
  const Job job = submit();
  const Claim zero = claim(2);
  const Claim one = claim(2);
  // Slices of one window: records 1, 3 and 2, 4; all failed.
  UnitOutcomes odd = outcomes(1, 0, 2);
  odd.places = {0, 2};
  UnitOutcomes even = outcomes(1, 0, 2);
  even.places = {1, 3};
  must(write_unit(one, 0, even, 4));
  must(write_unit(zero, 0, odd, 4));
  must(write_unit(zero, 1, outcomes(5, 1, 1), 2));

  const auto errors = must(ledger().first_errors(job.number, 10));
  std::vector<std::int64_t> found;
  for (const auto& [record, error] : errors) {
    found.push_back(record.value());
    EXPECT_EQ(error.field, "age");
  }
  EXPECT_EQ(found, (std::vector<std::int64_t>{1, 2, 3, 4, 6}));
  EXPECT_EQ(must(ledger().first_errors(job.number, 3)).size(), 3u);
  EXPECT_EQ(must(ledger().first_errors(job.number, 3)).back().first, RecordNumber(3));
  EXPECT_TRUE(must(ledger().first_errors(job.number, 0)).empty());
}

TEST_P(LedgerConformance, KnowsTheParentsRecords) {
  const Job child = open();
  must(ledger().add_parent_records(child.number, RecordNumber(1), records(11, 20)));
  must(ledger().add_parent_records(child.number, RecordNumber(11), records(31, 35)));
  const auto from = [&](std::int64_t record) {
    return must(ledger().parent_records(child.number, RecordNumber(record)));
  };
  EXPECT_EQ(from(1), records(11, 20));
  EXPECT_EQ(from(7), records(17, 20));
  EXPECT_EQ(from(11), records(31, 35));
  EXPECT_TRUE(from(16).empty());

  // A copy that starts again from a record replaces what came from there on.
  must(ledger().add_parent_records(child.number, RecordNumber(6), records(51, 52)));
  EXPECT_EQ(from(1), records(11, 15));
  EXPECT_EQ(from(6), records(51, 52));
  EXPECT_TRUE(from(8).empty());
}

}  // namespace tallyman
