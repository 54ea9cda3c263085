#include "worker/pending_aggregates.h"

#include <gmock/gmock.h>

#include "worker/test_people.h"

namespace tallyman {
namespace {

class PendingAggregatesTest : public testing::Test {
 protected:
  AggregatesAnswer ask(const Job& job, std::string_view json) {
    return must(engine_.service().request_aggregates(TestEngine::ann(), job.id, json));
  }
  bool answer() { return must(answer_pending_aggregates(engine_.parts())); }

  PeopleEngine engine_;
};

constexpr std::string_view kSum = R"({"a": {"type": "sum", "field": "age"}})";

TEST_F(PendingAggregatesTest, AreAnsweredOnceAndThenFromTheStore) {
  const Job job = engine_.complete("id,age\n1,41\n2,42\n");
  EXPECT_FALSE(ask(job, kSum).complete);
  EXPECT_TRUE(answer());
  EXPECT_FALSE(answer()) << "none is left";
  const AggregatesAnswer answered = ask(job, kSum);
  EXPECT_TRUE(answered.complete);
  ASSERT_EQ(answered.aggregates.size(), 1u);
  EXPECT_EQ(answered.aggregates.front().value, "83");
  EXPECT_EQ(answered.aggregates.front().as_of, engine_.clock.now());
}

TEST_F(PendingAggregatesTest, OneNameWithTwoDefinitionsIsAnsweredInTwoRounds) {
  const Job job = engine_.complete("id,age\n1,41\n2,42\n");
  ask(job, kSum);
  constexpr std::string_view kCount = R"({"a": {"type": "count"}})";
  ask(job, kCount);
  EXPECT_TRUE(answer());
  EXPECT_TRUE(answer());
  EXPECT_FALSE(answer());
  EXPECT_EQ(ask(job, kSum).aggregates.front().value, "83");
  EXPECT_EQ(ask(job, kCount).aggregates.front().value, "2");
}

TEST_F(PendingAggregatesTest, OfAJobWhoseResultsAreGoneSayWhy) {
  const Job job = engine_.complete("id,age\n1,41\n");
  ask(job, kSum);
  must(engine_.parts().jobs.expire_results(job.number));
  EXPECT_TRUE(answer());
  const auto stored = must(engine_.parts().aggregates.find(job.number));
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_TRUE(stored.front().done);
  EXPECT_THAT(stored.front().error, testing::HasSubstr("past its retention"));
}

TEST_F(PendingAggregatesTest, SayWhenALaterJobHasWrittenTheTable) {
  const Job job = engine_.complete("id,age\n1,41\n");
  ask(job, kSum);
  answer();
  EXPECT_FALSE(ask(job, kSum).changed_since);
  engine_.complete("id,age\n2,42\n");
  EXPECT_TRUE(ask(job, kSum).changed_since);
}

}  // namespace
}  // namespace tallyman
