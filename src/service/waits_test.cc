// How long a call waits for somebody else's work: limits::kAggregatesWait.
#include <gtest/gtest.h>

#include <future>

#include "service/test_calls.h"

namespace tallyman {
namespace {

TEST(WaitsTest, AggregatesThatTakeLongerThanTheirWaitAreAnsweredWithoutThem) {
  TestEngine engine(kPeople);
  const Job job = engine.complete("id,name\n1,Anna\n");
  const WorkerParts& parts = engine.parts();
  // Unlike the engine's own, it waits; nobody computes.
  JobService service(service_parts(parts), {});
  auto asked = std::async(std::launch::async, [&] {
    return service.request_aggregates(caller("ann"), job.id, R"({"n":{"type":"count"}})");
  });
  std::chrono::milliseconds passed{0};
  while (asked.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
    constexpr std::chrono::milliseconds kStep{100};
    engine.clock.advance(kStep);
    passed += kStep;
    parts.jobs.announce();
  }
  EXPECT_FALSE(must(asked.get()).complete);
  EXPECT_GE(passed, limits::kAggregatesWait);
}

}  // namespace
}  // namespace tallyman
