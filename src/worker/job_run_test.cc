#include "worker/job_run.h"

#include <gmock/gmock.h>

#include "worker/test_people.h"

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kFive = "id,age\n1,41\n2,old\n3,7\n4,500\n5,50\n";
const std::vector<std::string> kFiveOutcomes = {"1 created", "2 failed INVALID_TYPE age",
                                                "3 created", "4 failed CHECK_VIOLATION",
                                                "5 created"};
constexpr std::uint64_t kWindowSizes[] = {1, 2, 1000};

// Claims and runs until the job has ended; `stop_at`: each run is told to stop when it
// binds that record. Returns the number of runs.
int run_with_stops(PeopleEngine& engine, const Job& job, std::int64_t stop_at) {
  int runs = 0;
  while (!is_terminal(engine.find(job).state)) {
    StopFlag stop;
    engine.on_id([&stop, stop_at, runs](std::int64_t id) {
      if (id == stop_at && runs == 0) stop.raise();
    });
    engine.run_next(stop);
    engine.on_id(nullptr);
    ++runs;
    CHECK(runs < 10);
  }
  return runs;
}

TEST(JobRunTest, RunsAJobToItsEndWithTheSameOutcomesForAnyWindowSize) {
  for (const std::uint64_t records : kWindowSizes) {
    PeopleEngine engine;
    engine.settings.window_records = records;
    const Job job = engine.complete(kFive);
    EXPECT_EQ(job.state, JobState::kJobComplete);
    EXPECT_TRUE(job.verified) << job.message;
    EXPECT_EQ(job.counts, (OutcomeCounts{.created = 3, .failed = 2}));
    EXPECT_EQ(engine.outcomes(job), kFiveOutcomes);
    EXPECT_THAT(engine.rows(), ElementsAre("1|41", "3|7", "5|50"));
    EXPECT_THAT(engine.log(), ElementsAre("+1", "+3", "+5"));
  }
}

TEST(JobRunTest, AJobOfNoRecordsIsCompleteAndVerified) {
  PeopleEngine engine;
  const Job job = engine.complete("id,age\n");
  EXPECT_EQ(job.state, JobState::kJobComplete);
  EXPECT_TRUE(job.verified);
  EXPECT_EQ(job.counts.processed(), 0u);
}

TEST(JobRunTest, StoppedAtAnyRecordItHandsOnAndAnotherRunWritesTheRestOnce) {
  for (const std::uint64_t records : kWindowSizes) {
    for (std::int64_t stop_at = 1; stop_at <= 5; ++stop_at) {
      PeopleEngine engine;
      engine.settings.window_records = records;
      const Job job = engine.submit(kFive);
      EXPECT_EQ(run_with_stops(engine, job, stop_at), 2);
      EXPECT_EQ(engine.find(job).state, JobState::kJobComplete);
      EXPECT_TRUE(engine.find(job).verified);
      EXPECT_EQ(engine.outcomes(job), kFiveOutcomes);
      EXPECT_THAT(engine.log(), ElementsAre("+1", "+3", "+5"));
    }
  }
}

TEST(JobRunTest, AJobThatWasHandedOnStillKnowsWhichKeysItHasSeen) {
  const std::map<OnDuplicate, std::vector<std::string>> expected = {
      {OnDuplicate::kFirst,
       {"1 created", "2 created", "3 failed DUPLICATE_IN_UPLOAD id", "4 created"}},
      {OnDuplicate::kLast,
       {"1 failed DUPLICATE_IN_UPLOAD id", "2 created", "3 created", "4 created"}},
      {OnDuplicate::kError,
       {"1 failed DUPLICATE_IN_UPLOAD id", "2 created", "3 failed DUPLICATE_IN_UPLOAD id",
        "4 created"}}};
  for (const auto& [rule, outcomes] : expected) {
    for (const std::int64_t stop_at : {2, 4}) {
      PeopleEngine engine;
      engine.settings.window_records = 1;
      JobOptions options;
      options.on_duplicate = rule;
      const Job job = engine.submit(
          "id,age\n1,1\n2,2\n1,3\n4,4\n",
          TestEngine::request(ContentType::kCsv, Operation::kUpsert, options));
      run_with_stops(engine, job, stop_at);
      EXPECT_EQ(engine.outcomes(job), outcomes) << name(rule) << " " << stop_at;
    }
  }
}

TEST(JobRunTest, StoppedBeforeItBeginsItWritesNothingAndTheNextClaimsAtOnce) {
  PeopleEngine engine;
  const Job job = engine.submit(kFive);
  StopFlag stop;
  stop.raise();
  engine.run_next(stop);
  EXPECT_EQ(engine.find(job).state, JobState::kInProgress);
  EXPECT_THAT(engine.log(), IsEmpty());
  engine.run_next();
  EXPECT_EQ(engine.find(job).state, JobState::kJobComplete);
}

TEST(JobRunTest, AfterAnAbortNothingMoreIsWritten) {
  for (std::int64_t abort_at = 1; abort_at <= 5; ++abort_at) {
    PeopleEngine engine;
    engine.settings.window_records = 1;
    const Job job = engine.submit(kFive);
    std::vector<std::string> at_abort;
    engine.on_id([&](std::int64_t id) {
      if (id != abort_at) return;
      must(engine.service().abort(TestEngine::ann(), TestEngine::reference(job)));
      at_abort = engine.log();
    });
    engine.run_next();
    engine.on_id(nullptr);
    const Job ended = engine.find(job);
    EXPECT_EQ(ended.state, JobState::kAborted);
    EXPECT_EQ(engine.log(), at_abort);
    EXPECT_EQ(ended.counts.created, at_abort.size()) << "rows and ledger disagree";
    const auto outcomes = engine.outcomes(job);
    ASSERT_EQ(outcomes.size(), 5u);
    for (std::size_t i = ended.counts.processed(); i < 5; ++i) {
      EXPECT_EQ(outcomes[i], std::to_string(i + 1) + " unprocessed");
    }
  }
}

TEST(JobRunTest, AWorkerThatLostItsLeaseWritesNothing) {
  PeopleEngine engine;
  const Job job = engine.submit(kFive);
  const Claim lost = engine.claim();
  engine.clock.advance(limits::kLeaseTime + std::chrono::milliseconds(1));
  const Claim mine = engine.claim();
  engine.run(lost);
  EXPECT_THAT(engine.log(), IsEmpty());
  EXPECT_EQ(engine.find(job).state, JobState::kInProgress);
  engine.run(mine);
  EXPECT_EQ(engine.find(job).state, JobState::kJobComplete);
  EXPECT_THAT(engine.log(), ElementsAre("+1", "+3", "+5"));
}

TEST(JobRunTest, AWorkerThatLostItsLeaseCannotEndTheJob) {
  PeopleEngine engine;
  JobOptions options;
  options.max_errors = 0;
  const Job job =
      engine.submit("id,age\n1,old\n",
                    TestEngine::request(ContentType::kCsv, Operation::kInsert, options));
  const Claim lost = engine.claim();
  engine.clock.advance(limits::kLeaseTime + std::chrono::milliseconds(1));
  engine.claim();
  engine.run(lost);
  EXPECT_EQ(engine.find(job).state, JobState::kInProgress);
}

TEST(JobRunTest, ACommitWhoseReplyWasLostIsFoundInTheLedger) {
  PeopleEngine engine;
  engine.settings.window_records = 1;
  const Job job = engine.submit("id,age\n1,41\n2,42\n");
  const Claim claim = engine.claim();
  // By the time record 1 is bound, the run has read where it goes on: what is committed
  // now is to it a commit that it does not know of.
  engine.on_id([&](std::int64_t id) {
    if (id != 1) return;
    auto& ledger = engine.parts().ledger;
    auto transaction = must(engine.parts().database.begin_write(std::chrono::seconds(5)));
    must(ledger.begin_unit(*transaction, claim, {}));
    must(db::sqlite(*transaction).exec("insert into people values (1, 41)"));
    UnitOutcomes outcomes;
    outcomes.outcomes = {Outcome::kCreated};
    outcomes.ids.kind = RowIdKind::kInteger;
    outcomes.ids.push(std::int64_t{1});
    must(ledger.end_unit(*transaction, claim, {}, 1, outcomes));
    must(transaction->commit());
  });
  engine.run(claim);
  engine.on_id(nullptr);
  EXPECT_EQ(engine.find(job).state, JobState::kJobComplete);
  EXPECT_TRUE(engine.find(job).verified);
  EXPECT_THAT(engine.outcomes(job), ElementsAre("1 created", "2 created"));
  EXPECT_THAT(engine.log(), ElementsAre("+1", "+2"));
}

TEST(JobRunTest, TheRecordThatPassesTheErrorBudgetIsTheLastOneProcessed) {
  for (const std::uint64_t records : kWindowSizes) {
    PeopleEngine engine;
    engine.settings.window_records = records;
    JobOptions options;
    options.max_errors = 1;
    const Job job = engine.complete(
        kFive, TestEngine::request(ContentType::kCsv, Operation::kInsert, options));
    EXPECT_EQ(job.state, JobState::kFailed);
    EXPECT_THAT(job.message, HasSubstr("record 4 of 5"));
    EXPECT_EQ(job.counts, (OutcomeCounts{.created = 2, .failed = 2}));
    EXPECT_THAT(engine.outcomes(job),
                ElementsAre("1 created", "2 failed INVALID_TYPE age", "3 created",
                            "4 failed CHECK_VIOLATION", "5 unprocessed"));
    EXPECT_THAT(engine.log(), ElementsAre("+1", "+3"));
  }
}

TEST(JobRunTest, AnErrorBudgetThatIsMetIsNotPassed) {
  PeopleEngine engine;
  JobOptions options;
  options.max_errors = 2;
  const Job job = engine.complete(
      kFive, TestEngine::request(ContentType::kCsv, Operation::kInsert, options));
  EXPECT_EQ(job.state, JobState::kJobComplete);
  EXPECT_EQ(engine.outcomes(job), kFiveOutcomes);
}

TEST(JobRunTest, TheErrorBudgetCountsWhatAnEarlierRunHasSeen) {
  for (std::int64_t stop_at = 1; stop_at <= 4; ++stop_at) {
    PeopleEngine engine;
    engine.settings.window_records = 1;
    JobOptions options;
    options.max_errors = 1;
    const Job job = engine.submit(
        kFive, TestEngine::request(ContentType::kCsv, Operation::kInsert, options));
    run_with_stops(engine, job, stop_at);
    EXPECT_EQ(engine.find(job).state, JobState::kFailed);
    EXPECT_EQ(engine.find(job).counts, (OutcomeCounts{.created = 2, .failed = 2}));
  }
}

TEST(JobRunTest, ATriggerThatRollsBackCostsItsOwnRecordOnly) {
  for (const std::uint64_t records : kWindowSizes) {
    PeopleEngine engine;
    engine.tables().execute(
        "create trigger no_thirteen before insert on people when new.age = 13 "
        "begin select raise(rollback, 'thirteen'); end");
    engine.settings.window_records = records;
    const Job job = engine.complete("id,age\n1,41\n2,13\n3,43\n");
    EXPECT_EQ(job.state, JobState::kJobComplete);
    EXPECT_EQ(job.counts, (OutcomeCounts{.created = 2, .failed = 1}));
    EXPECT_THAT(engine.log(), ElementsAre("+1", "+3"));
  }
}

TEST(JobRunTest, AJobWhoseTableIsGoneFailsAndSaysWhy) {
  PeopleEngine engine;
  const Job job = engine.submit(kFive);
  engine.tables().execute("drop table people");
  engine.run_next();
  EXPECT_EQ(engine.find(job).state, JobState::kFailed);
  EXPECT_THAT(engine.find(job).message, HasSubstr("people"));
}

TEST(JobRunTest, AJobWhosePayloadIsGoneFails) {
  PeopleEngine engine;
  const Job job = engine.submit(kFive);
  must(engine.parts().payloads.remove(job.id));
  engine.run_next();
  EXPECT_EQ(engine.find(job).state, JobState::kFailed);
  EXPECT_THAT(engine.log(), IsEmpty());
}

TEST(JobRunTest, RowsThatAreGoneWhenTheJobEndsLeaveItNotVerified) {
  PeopleEngine engine;
  engine.tables().execute(
      "create trigger vanish after insert on people when new.id = 2 "
      "begin delete from people where id = 1; end");
  const Job job = engine.complete("id,age\n1,41\n2,42\n");
  EXPECT_EQ(job.state, JobState::kJobComplete);
  EXPECT_FALSE(job.verified);
  EXPECT_THAT(job.message, HasSubstr("1 of 2 written rows are not there"));
}

TEST(JobRunTest, AggregatesAskedForWithTheJobAreAnsweredWhenItEnds) {
  PeopleEngine engine;
  JobOptions options;
  options.aggregates = R"({"sum_age": {"type": "sum", "field": "age"}})";
  options.expect = R"({"count": 3, "sum.age": "98"})";
  const Job job = engine.complete(
      kFive, TestEngine::request(ContentType::kCsv, Operation::kInsert, options));
  EXPECT_TRUE(job.verified) << job.message;
  const auto stored = must(engine.parts().aggregates.find(job.number));
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_TRUE(stored.front().done);
  EXPECT_EQ(stored.front().value, "98") << stored.front().error;
}

TEST(JobRunTest, ControlTotalsThatDifferLeaveAPartialJobCompleteButNotVerified) {
  PeopleEngine engine;
  JobOptions options;
  options.expect = R"({"count": 5})";
  const Job job = engine.complete(
      kFive, TestEngine::request(ContentType::kCsv, Operation::kInsert, options));
  EXPECT_EQ(job.state, JobState::kJobComplete);
  EXPECT_FALSE(job.verified);
  EXPECT_THAT(job.message, HasSubstr("control total 'count' is not the expected 5"));
}

}  // namespace
}  // namespace tallyman
