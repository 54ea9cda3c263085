// What every AggregateStore must do.
#pragma once

#include "store/store_backend.h"

namespace tallyman {

class AggregateStoreConformance : public StoreConformance {
 protected:
  AggregateStore& aggregates() { return backend_->aggregates(); }
  void answer(const Job& job, const std::string& name, const std::string& definition,
              const std::string& value, const std::string& error = "") {
    auto transaction = must(backend_->database().begin_write(kWait));
    must(aggregates().answer(*transaction, {.job = job.number,
                                            .name = name,
                                            .definition = definition,
                                            .done = true,
                                            .value = value,
                                            .error = error,
                                            .as_of = clock().now()}));
    must(transaction->commit());
  }
  // "name definition", in the order of find().
  std::vector<std::string> asked(const Job& job) {
    std::vector<std::string> all;
    for (const auto& each : must(aggregates().find(job.number))) {
      all.push_back(each.name + " " + each.definition);
    }
    return all;
  }
  using Texts = std::vector<std::string>;
};

TEST_P(AggregateStoreConformance, KeepsRequestsInTheOrderOfAsking) {
  const Job job = open();
  must(aggregates().request(job.number, {{"b", "1"}, {"a", "1"}}));
  must(aggregates().request(job.number, {{"a", "1"}, {"c", "1"}}));
  ASSERT_EQ(asked(job).size(), 3u);
  EXPECT_EQ(asked(job).back(), "c 1");
  for (const auto& each : must(aggregates().find(job.number))) {
    EXPECT_FALSE(each.done);
    EXPECT_EQ(each.as_of, std::nullopt);
  }
}

TEST_P(AggregateStoreConformance, TheLastDefinitionOfANameComesLast) {
  const Job job = open();
  must(aggregates().request(job.number, {{"a", "1"}}));
  must(aggregates().request(job.number, {{"a", "2"}}));
  EXPECT_EQ(asked(job), (Texts{"a 1", "a 2"}));
  must(aggregates().request(job.number, {{"a", "1"}}));
  EXPECT_EQ(asked(job), (Texts{"a 2", "a 1"}));
}

TEST_P(AggregateStoreConformance, AnAnswerStaysWhenItIsAskedForAgain) {
  const Job job = open();
  must(aggregates().request(job.number, {{"a", "1"}}));
  answer(job, "a", "1", "42");
  must(aggregates().request(job.number, {{"a", "2"}}));
  must(aggregates().request(job.number, {{"a", "1"}}));
  const auto found = must(aggregates().find(job.number));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[1].done);
  EXPECT_EQ(found[1].value, "42");
  EXPECT_EQ(found[1].as_of, clock().now());
  EXPECT_FALSE(found[0].done);
}

TEST_P(AggregateStoreConformance, AnAnswerNeedsNoRequest) {
  const Job job = open();
  answer(job, "a", "1", "", "no such function");
  const auto found = must(aggregates().find(job.number));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].done);
  EXPECT_EQ(found[0].error, "no such function");
}

TEST_P(AggregateStoreConformance, AnAnswerGoesWithItsTransaction) {
  const Job job = open();
  {
    auto dropped = must(backend_->database().begin_write(kWait));
    must(aggregates().answer(*dropped, {.job = job.number,
                                        .name = "a",
                                        .definition = "1",
                                        .done = true,
                                        .value = "1",
                                        .error = {},
                                        .as_of = std::nullopt}));
  }
  EXPECT_TRUE(must(aggregates().find(job.number)).empty());
}

TEST_P(AggregateStoreConformance, PendingOnesAreThoseOfTheFirstToAsk) {
  EXPECT_TRUE(must(aggregates().next_pending()).empty());
  const Job first = open();
  const Job second = open();
  must(aggregates().request(second.number, {{"a", "1"}, {"b", "1"}}));
  must(aggregates().request(first.number, {{"a", "1"}}));
  must(aggregates().request(second.number, {{"c", "1"}}));
  auto pending = must(aggregates().next_pending());
  ASSERT_EQ(pending.size(), 3u);
  for (const auto& each : pending) EXPECT_EQ(each.job, second.number);
  for (const char* name : {"a", "b", "c"}) answer(second, name, "1", "1");
  pending = must(aggregates().next_pending());
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].job, first.number);
  answer(first, "a", "1", "1");
  EXPECT_TRUE(must(aggregates().next_pending()).empty());
}

TEST_P(AggregateStoreConformance, AJobThatIsNotThereHasNone) {
  EXPECT_EQ(code(aggregates().request(JobNumber(99), {{"a", "1"}})),
            ErrorCode::kNotFound);
  EXPECT_TRUE(must(aggregates().find(JobNumber(99))).empty());
}

TEST_P(AggregateStoreConformance, ARestartForgetsNoRequest) {
  const Job job = open();
  must(aggregates().request(job.number, {{"a", "1"}}));
  backend_->restart();
  EXPECT_EQ(must(aggregates().next_pending()).size(), 1u);
}

}  // namespace tallyman
