#include "worker/lease_keeper.h"

#include "worker/test_engine.h"

namespace tallyman {
namespace {

using std::chrono::milliseconds;

class LeaseKeeperTest : public testing::Test {
 protected:
  TestEngine engine_{"create table people (id integer primary key)"};
};

TEST_F(LeaseKeeperTest, AHeldLeaseDoesNotRunOut) {
  constexpr milliseconds kLease{900};
  const SystemClock clock;
  SqliteJobStore jobs(engine_.tables().database(), clock, engine_.random);
  engine_.submit("id\n1\n");
  const auto claim = must(jobs.claim("one", engine_.one_slice(), 1, kLease));
  ASSERT_TRUE(claim.has_value());

  LeaseKeeper keeper(jobs, kLease);
  const LeaseKeeper::Hold hold(keeper, *claim);
  const auto until = clock.steady() + kLease * 3 / 2;
  while (clock.steady() < until) {
    ASSERT_FALSE(must(jobs.claim("two", engine_.one_slice(), 1, kLease)).has_value());
    jobs.changes().wait(jobs.changes().version(), milliseconds(20));
  }
  EXPECT_FALSE(hold.lost());
}

TEST_F(LeaseKeeperTest, SaysWhenTheJobWasEndedFromOutside) {
  const Job job = engine_.submit("id\n1\n");
  const Claim claim = engine_.claim();
  LeaseKeeper keeper(engine_.parts().jobs, milliseconds(3));
  const LeaseKeeper::Hold hold(keeper, claim);
  EXPECT_FALSE(hold.lost());
  must(engine_.service().abort(TestEngine::ann(), TestEngine::reference(job)));
  while (!hold.lost()) std::this_thread::yield();
}

TEST_F(LeaseKeeperTest, SaysWhenAnotherWorkerHasTheSliceAndOnlyToWhomeverLostIt) {
  engine_.submit("id\n1\n");
  const Claim lost = engine_.claim();
  engine_.clock.advance(limits::kLeaseTime + milliseconds(1));
  const Claim mine = engine_.claim();
  EXPECT_TRUE(mine.reclaimed);
  LeaseKeeper keeper(engine_.parts().jobs, milliseconds(3));
  const LeaseKeeper::Hold hold_of_mine(keeper, mine);
  const LeaseKeeper::Hold hold_of_lost(keeper, lost);
  while (!hold_of_lost.lost()) std::this_thread::yield();
  EXPECT_FALSE(hold_of_mine.lost());
}

}  // namespace
}  // namespace tallyman
