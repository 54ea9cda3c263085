#include "worker/whole_job.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "worker/test_people.h"

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kGood = "id,age\n1,41\n2,42\n3,43\n";
constexpr std::string_view kOneBad = "id,age\n1,41\n2,old\n3,500\n4,44\n";
constexpr std::uint64_t kWindowSizes[] = {1, 2, 1000};

JobRequest atomic(JobOptions options = {}) {
  options.atomic = true;
  return TestEngine::request(ContentType::kCsv, Operation::kInsert, std::move(options));
}
JobRequest dry_run(JobOptions options = {}) {
  options.dry_run = true;
  return TestEngine::request(ContentType::kCsv, Operation::kInsert, std::move(options));
}

TEST(WholeJobTest, AnAtomicJobWithoutFailuresIsWrittenWhole) {
  for (const std::uint64_t records : kWindowSizes) {
    PeopleEngine engine;
    engine.settings.window_records = records;
    const Job job = engine.complete(kGood, atomic());
    EXPECT_EQ(job.state, JobState::kJobComplete);
    EXPECT_TRUE(job.verified) << job.message;
    EXPECT_EQ(job.checked_items, 3u);
    EXPECT_THAT(engine.log(), ElementsAre("+1", "+2", "+3"));
    EXPECT_THAT(engine.outcomes(job), ElementsAre("1 created", "2 created", "3 created"));
  }
}

TEST(WholeJobTest, AnAtomicJobWithAFailureLeavesNothingAndSaysWhatFailed) {
  for (const std::uint64_t records : kWindowSizes) {
    PeopleEngine engine;
    engine.settings.window_records = records;
    const Job job = engine.complete(kOneBad, atomic());
    EXPECT_EQ(job.state, JobState::kFailed);
    EXPECT_THAT(job.message, HasSubstr("2 records failed, so nothing was written"));
    EXPECT_THAT(engine.rows(), IsEmpty());
    EXPECT_THAT(engine.log(), IsEmpty());
    EXPECT_EQ(job.counts, (OutcomeCounts{.failed = 2}));
    EXPECT_THAT(engine.outcomes(job),
                ElementsAre("1 unprocessed", "2 failed INVALID_TYPE age",
                            "3 failed CHECK_VIOLATION", "4 unprocessed"));
  }
}

TEST(WholeJobTest, AnAtomicJobMayHaveAsManyFailuresAsItsBudgetAllows) {
  for (const std::uint64_t records : kWindowSizes) {
    PeopleEngine engine;
    engine.settings.window_records = records;
    JobOptions options;
    options.max_errors = 2;
    const Job job = engine.complete(kOneBad, atomic(options));
    EXPECT_EQ(job.state, JobState::kJobComplete);
    EXPECT_THAT(engine.log(), ElementsAre("+1", "+4"));
  }
}

TEST(WholeJobTest, AnAtomicJobThatPassesItsBudgetLeavesNothing) {
  for (const std::uint64_t records : kWindowSizes) {
    PeopleEngine engine;
    engine.settings.window_records = records;
    JobOptions options;
    options.max_errors = 1;
    const Job job = engine.complete(kOneBad, atomic(options));
    EXPECT_EQ(job.state, JobState::kFailed);
    EXPECT_THAT(job.message, HasSubstr("record 3 of 4"));
    EXPECT_THAT(engine.log(), IsEmpty());
    EXPECT_THAT(engine.outcomes(job),
                ElementsAre("1 unprocessed", "2 failed INVALID_TYPE age",
                            "3 failed CHECK_VIOLATION", "4 unprocessed"));
  }
}

TEST(WholeJobTest, ControlTotalsThatDifferLeaveNothingOfAnAtomicJob) {
  PeopleEngine engine;
  JobOptions options;
  options.expect = R"({"sum.age": "1"})";
  const Job job = engine.complete(kGood, atomic(options));
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_THAT(job.message, HasSubstr("control total 'sum.age' is not the expected 1"));
  EXPECT_THAT(engine.log(), IsEmpty());
  EXPECT_THAT(engine.outcomes(job),
              ElementsAre("1 unprocessed", "2 unprocessed", "3 unprocessed"));
}

TEST(WholeJobTest, ADryRunLeavesNothingButKeepsItsOutcomes) {
  for (const std::uint64_t records : kWindowSizes) {
    PeopleEngine engine;
    engine.settings.window_records = records;
    const Job job = engine.complete(kOneBad, dry_run());
    EXPECT_EQ(job.state, JobState::kJobComplete);
    EXPECT_THAT(engine.rows(), IsEmpty());
    EXPECT_EQ(job.counts, (OutcomeCounts{.created = 2, .failed = 2}));
    EXPECT_THAT(engine.outcomes(job),
                ElementsAre("1 created", "2 failed INVALID_TYPE age",
                            "3 failed CHECK_VIOLATION", "4 created"));
    EXPECT_THAT(engine.results(job), HasSubstr("\n1,created,,")) << "an id of no row";
  }
}

TEST(WholeJobTest, ADryRunThatPassesItsBudgetTellsWhatTheJobWouldHaveDone) {
  PeopleEngine engine;
  JobOptions options;
  options.max_errors = 0;
  const Job job = engine.complete(kOneBad, dry_run(options));
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_THAT(engine.rows(), IsEmpty());
  EXPECT_THAT(engine.outcomes(job), ElementsAre("1 created", "2 failed INVALID_TYPE age",
                                                "3 unprocessed", "4 unprocessed"));
}

TEST(WholeJobTest, AggregatesOfADryRunAreOfTheRowsItWouldHaveWritten) {
  PeopleEngine engine;
  JobOptions options;
  options.aggregates = R"({"sum_age": {"type": "sum", "field": "age"}})";
  const Job job = engine.complete(kGood, dry_run(options));
  const auto stored = must(engine.parts().aggregates.find(job.number));
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored.front().value, "126") << stored.front().error;
}

TEST(WholeJobTest, StoppedInEitherPassItLeavesNothingAndTheNextRunStartsItOver) {
  // Each record is bound twice: once to be checked, once to be written.
  for (int stop_at = 1; stop_at <= 6; ++stop_at) {
    PeopleEngine engine;
    engine.settings.window_records = 1;
    const Job job = engine.submit(kGood, atomic());
    StopFlag stop;
    int bound = 0;
    engine.on_id([&](std::int64_t) {
      if (++bound == stop_at) stop.raise();
    });
    engine.run_next(stop);
    engine.on_id(nullptr);
    EXPECT_EQ(engine.find(job).state, JobState::kInProgress) << stop_at;
    EXPECT_THAT(engine.log(), IsEmpty());
    EXPECT_EQ(engine.find(job).counts.processed(), 0u);
    engine.run_next();
    EXPECT_EQ(engine.find(job).state, JobState::kJobComplete);
    EXPECT_THAT(engine.log(), ElementsAre("+1", "+2", "+3"));
  }
}

TEST(WholeJobTest, AnAbortIsLetThroughWhileTheJobHoldsTheWriter) {
  PeopleEngine engine;
  engine.settings.window_records = 1;
  const Job job = engine.submit(kGood, atomic());
  std::thread abort;
  int bound = 0;
  engine.on_id([&](std::int64_t) {
    if (++bound != 6) return;  // The last record, in the pass that writes.
    abort = std::thread([&] {
      must(engine.service().abort(TestEngine::ann(), TestEngine::reference(job)));
    });
    while (!engine.parts().jobs.end_is_requested(job.number) &&
           engine.find(job).state != JobState::kAborted) {
      std::this_thread::yield();
    }
  });
  engine.run_next();
  engine.on_id(nullptr);
  abort.join();
  EXPECT_EQ(engine.find(job).state, JobState::kAborted);
  EXPECT_THAT(engine.log(), IsEmpty());
  EXPECT_THAT(engine.outcomes(job),
              ElementsAre("1 unprocessed", "2 unprocessed", "3 unprocessed"));
}

TEST(WholeJobTest, AWorkerThatLostItsLeaseLeavesNothing) {
  for (const JobRequest& request : {atomic(), dry_run()}) {
    PeopleEngine engine;
    const Job job = engine.submit(kGood, request);
    const Claim lost = engine.claim();
    engine.clock.advance(limits::kLeaseTime + std::chrono::milliseconds(1));
    engine.claim();
    engine.run(lost);
    EXPECT_EQ(engine.find(job).state, JobState::kInProgress);
    EXPECT_EQ(engine.find(job).counts.processed(), 0u);
    EXPECT_THAT(engine.log(), IsEmpty());
  }
}

TEST(WholeJobTest, ATriggerThatRollsBackFailsItsRecordAndSoTheAtomicJob) {
  for (const std::uint64_t records : kWindowSizes) {
    PeopleEngine engine;
    engine.tables().execute(
        "create trigger no_thirteen before insert on people when new.age = 13 "
        "begin select raise(rollback, 'thirteen'); end");
    engine.settings.window_records = records;
    const Job job = engine.complete("id,age\n1,41\n2,13\n3,43\n", atomic());
    EXPECT_EQ(job.state, JobState::kFailed);
    EXPECT_EQ(job.counts, (OutcomeCounts{.failed = 1}));
    EXPECT_THAT(engine.log(), IsEmpty());
  }
}

TEST(WholeJobTest, ItsScratchFilesGoWithIt) {
  PeopleEngine engine;
  JobOptions options;
  options.on_duplicate = OnDuplicate::kFirst;
  const Job job = engine.complete(kGood, atomic(options));
  EXPECT_EQ(job.state, JobState::kJobComplete);
  for (const char* name : {"spool", "keys"}) {
    EXPECT_FALSE(
        std::filesystem::exists(engine.parts().payloads.scratch_path(job.id, name)))
        << name;
  }
}

}  // namespace
}  // namespace tallyman
