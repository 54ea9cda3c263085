#include "worker/sweeper.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "worker/test_people.h"

namespace tallyman {
namespace {

using std::chrono::microseconds;
using testing::ElementsAre;
using testing::IsEmpty;

class SweeperTest : public testing::Test {
 protected:
  void sweep_now() { must(sweep(engine_.parts(), engine_.settings)); }
  std::vector<JobId> payloads() { return must(engine_.parts().payloads.list()); }
  Job open_with_data() {
    const Job job =
        must(engine_.service().create(TestEngine::ann(), TestEngine::request()));
    must(engine_.service().append(TestEngine::ann(), TestEngine::reference(job), {},
                                  text_source("id,age\n1,1\n")));
    return job;
  }

  PeopleEngine engine_;
};

TEST_F(SweeperTest, AnUploadThatIsNotCompletedInTimeIsAbortedAndItsBytesGo) {
  const Job job = open_with_data();
  engine_.clock.advance(limits::kOpenTimeMax);
  sweep_now();
  EXPECT_EQ(engine_.find(job).state, JobState::kOpen) << "exactly at the limit";
  EXPECT_THAT(payloads(), ElementsAre(job.id));
  engine_.clock.advance(microseconds(1));
  sweep_now();
  EXPECT_EQ(engine_.find(job).state, JobState::kAborted);
  EXPECT_THAT(payloads(), IsEmpty());
}

TEST_F(SweeperTest, AnUploadThatIsCompleteDoesNotExpire) {
  const Job job = engine_.submit("id,age\n1,1\n");
  engine_.clock.advance(limits::kOpenTimeMax * 2);
  sweep_now();
  EXPECT_EQ(engine_.find(job).state, JobState::kUploadComplete);
  EXPECT_THAT(payloads(), ElementsAre(job.id));
}

TEST_F(SweeperTest, ResultsGoAfterTheirRetentionAndTheJobStays) {
  const Job job = engine_.complete("id,age\n1,1\n2,old\n");
  engine_.clock.advance(limits::kResultsRetention);
  sweep_now();
  EXPECT_FALSE(engine_.find(job).results_expired) << "exactly at the limit";
  EXPECT_FALSE(engine_.results(job).empty());
  engine_.clock.advance(microseconds(1));
  sweep_now();
  const Job now = engine_.find(job);
  EXPECT_TRUE(now.results_expired);
  EXPECT_EQ(now.state, JobState::kJobComplete);
  EXPECT_EQ(now.counts, (OutcomeCounts{.created = 1, .failed = 1})) << "counts stay";
  EXPECT_THAT(payloads(), IsEmpty());
  const auto results =
      open_results(engine_.service(), TestEngine::ann(), TestEngine::reference(job), {});
  ASSERT_FALSE(results.ok());
  EXPECT_EQ(results.error().code, ErrorCode::kGone);
}

TEST_F(SweeperTest, TheJobGoesAfterItsRetention) {
  const Job job = engine_.complete("id,age\n1,1\n");
  engine_.clock.advance(limits::kJobRetention);
  sweep_now();
  EXPECT_TRUE(engine_.parts().jobs.find(job.id).ok()) << "exactly at the limit";
  engine_.clock.advance(microseconds(1));
  sweep_now();
  const auto found = engine_.parts().jobs.find(job.id);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(engine_.rows(), ElementsAre("1|1")) << "its rows are the user's";
}

TEST_F(SweeperTest, AllThatIsDueGoesInOneRound) {
  for (int i = 0; i < 101; ++i) {
    const Job job =
        must(engine_.service().create(TestEngine::ann(), TestEngine::request()));
    must(engine_.service().abort(TestEngine::ann(), TestEngine::reference(job)));
  }
  engine_.clock.advance(limits::kJobRetention + microseconds(1));
  sweep_now();
  EXPECT_THAT(must(engine_.parts().jobs.list({})), IsEmpty());
}

TEST_F(SweeperTest, PayloadsThatNoJobKnowsGoAndOthersStay) {
  const Job running = engine_.submit("id,age\n1,1\n");
  const Job open = open_with_data();
  const JobId unknown(Uuid::make_v7(engine_.clock.now(), engine_.random));
  must(must(engine_.parts().payloads.create(unknown))->checkpoint(""));
  ASSERT_EQ(payloads().size(), 3u);
  sweep_now();
  EXPECT_THAT(payloads(), testing::UnorderedElementsAre(running.id, open.id));
}

TEST_F(SweeperTest, WhatAPartLeftBehindThatArrivedDuringAnAbortGoes) {
  const Job job = open_with_data();
  must(engine_.service().abort(TestEngine::ann(), TestEngine::reference(job)));
  must(must(engine_.parts().payloads.create(job.id))->checkpoint(""));
  sweep_now();
  EXPECT_THAT(payloads(), IsEmpty());
}

// A folder stands where its data should: it cannot be removed as a file.
TEST_F(SweeperTest, APayloadThatCannotBeRemovedKeepsNoOther) {
  std::vector<JobId> unknown;
  for (int i = 0; i < 3; ++i) {
    engine_.clock.advance(std::chrono::milliseconds(1));
    unknown.emplace_back(Uuid::make_v7(engine_.clock.now(), engine_.random));
    must(must(engine_.parts().payloads.create(unknown.back()))->checkpoint(""));
  }
  const std::filesystem::path data =
      engine_.parts().payloads.scratch_path(unknown[0], "x");
  const std::filesystem::path stuck =
      data.parent_path().parent_path() / (unknown[0].to_string() + ".data");
  std::filesystem::remove(stuck);
  std::filesystem::create_directory(stuck);
  EXPECT_FALSE(sweep(engine_.parts(), engine_.settings).ok());
  EXPECT_THAT(payloads(), ElementsAre(unknown[0]));
  std::filesystem::remove(stuck);
  sweep_now();
  EXPECT_THAT(payloads(), IsEmpty());
}

TEST(SweepIntervalTest, IsATenthOfTheShortestRetentionBetweenATenthOfASecondAndAMinute) {
  WorkerSettings settings;
  EXPECT_EQ(sweep_interval(settings), std::chrono::minutes(1));
  settings.results_retention = std::chrono::seconds(20);
  EXPECT_EQ(sweep_interval(settings), std::chrono::seconds(2));
  settings.open_time_max = std::chrono::milliseconds(1);
  EXPECT_EQ(sweep_interval(settings), std::chrono::milliseconds(100));
}

}  // namespace
}  // namespace tallyman
