#include "worker/worker.h"

#include <gmock/gmock.h>

#include "worker/test_people.h"

namespace tallyman {
namespace {

// Waits until the job has ended; the test's time limit ends what never does.
Job ended(TestEngine& engine, const Job& job) {
  auto& jobs = engine.parts().jobs;
  while (true) {
    const std::uint64_t seen = jobs.changes().version();
    Job now = engine.find(job);
    if (is_terminal(now.state)) return now;
    jobs.changes().wait(seen, std::chrono::seconds(1));
  }
}

TEST(WorkerTest, RunsJobsOfOneTableInTheOrderOfTheirSubmission) {
  PeopleEngine engine;
  engine.settings.window_records = 1;
  engine.settings.threads = 3;
  const Job first = engine.submit("id,age\n1,1\n2,2\n3,3\n");
  const Job second = engine.submit(
      "id,age\n3,30\n1,10\n", TestEngine::request(ContentType::kCsv, Operation::kUpdate));
  Worker worker(engine.parts(), engine.settings);
  EXPECT_EQ(ended(engine, first).counts.created, 3u);
  EXPECT_EQ(ended(engine, second).counts.updated, 2u);
  worker.stop();
  EXPECT_THAT(engine.log(), testing::ElementsAre("+1", "+2", "+3", "3=30", "1=10"));
}

TEST(WorkerTest, CopiesRetriesAndRunsThem) {
  PeopleEngine engine;
  Worker worker(engine.parts(), engine.settings);
  const Job parent = ended(engine, engine.submit("id,age\n1,500\n2,2\n"));
  const Job child =
      must(engine.service().retry(TestEngine::ann(), TestEngine::reference(parent), {}));
  EXPECT_EQ(ended(engine, child).counts, (OutcomeCounts{.failed = 1}));
}

TEST(WorkerTest, StopsInTheMiddleOfAJobAndAnotherOneGoesOn) {
  std::string csv = "id,age\n";
  for (int i = 1; i <= 200; ++i) csv += std::to_string(i) + ",1\n";
  PeopleEngine engine;
  engine.settings.window_records = 1;
  const Job job = engine.submit(csv);
  for (int i = 0; i < 5 && !is_terminal(engine.find(job).state); ++i) {
    const Worker worker(engine.parts(), engine.settings);
  }
  const Worker worker(engine.parts(), engine.settings);
  EXPECT_EQ(ended(engine, job).state, JobState::kJobComplete);
  EXPECT_EQ(engine.find(job).counts.created, 200u);
  EXPECT_EQ(engine.query("select count(*), count(distinct what) from log"),
            std::vector<std::string>{"200|200"});
}

}  // namespace
}  // namespace tallyman
