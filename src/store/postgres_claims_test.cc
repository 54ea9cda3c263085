// What only claims over many connections can show.
#include <atomic>
#include <barrier>
#include <set>
#include <thread>

#include "store/postgres_backend.h"

namespace tallyman {
namespace {

class PostgresClaims : public StoreConformance {
 protected:
  PostgresBackend& backend() { return static_cast<PostgresBackend&>(*backend_); }
  void lease_runs_out() { clock().advance(kLease + std::chrono::milliseconds(1)); }
  Job submit_of(const std::string& owner, const std::string& table) {
    NewJob made = new_job(table);
    made.owner = owner;
    return must(jobs().apply(upload_completed(must(jobs().create(made)))));
  }
  void sql(const std::string& statements) { backend().temporary().sql(statements); }
};

INSTANTIATE_TEST_SUITE_P(Postgres, PostgresClaims, testing::Values([] {
                           return std::make_unique<PostgresBackend>();
                         }));

// Each of the nodes has a pool of its own. F19: 10,000 claims.
TEST_P(PostgresClaims, OfManyClaimersOfOneSliceOneHoldsIt) {
  constexpr int kNodes = 8;
  constexpr int kClaimers = 64;
  constexpr int kRounds = 10'000 / kClaimers + 1;
  struct Node {
    std::unique_ptr<db::PostgresDatabase> database;
    std::unique_ptr<PostgresBackend::Stores> stores;
  };
  std::vector<Node> nodes(kNodes);
  for (Node& node : nodes) {
    node.database =
        must(db::PostgresDatabase::open({.url = backend().temporary().url()}));
    node.stores = std::make_unique<PostgresBackend::Stores>(*node.database, clock(),
                                                            backend().random);
  }
  const Job job = submit();
  std::atomic<int> holders = 0;
  std::atomic<int> firsts = 0;
  std::barrier round(kClaimers);
  std::vector<std::thread> threads;
  for (int i = 0; i < kClaimers; ++i) {
    threads.emplace_back([&, &store = nodes[i % kNodes].stores->jobs] {
      for (int rounds = 0; rounds < kRounds; ++rounds) {
        const auto claimed = must(store.claim("worker", make_plan(), 1, kLease));
        holders += claimed ? 1 : 0;
        firsts += claimed && claimed->first ? 1 : 0;
        round.arrive_and_wait();
        if (claimed) {
          EXPECT_EQ(holders.exchange(0), 1);
          must(store.release(*claimed));
        }
        round.arrive_and_wait();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(firsts, 1);
  EXPECT_EQ(events_of(job).size(), 3u);
}

std::vector<SliceNumber> slices(std::int64_t first, std::int64_t end) {
  std::vector<SliceNumber> made;
  for (std::int64_t i = first; i < end; ++i) made.emplace_back(i);
  return made;
}

TEST_P(PostgresClaims, WhoHasNothingToDoIsGivenHalf) {
  submit();
  Claim held = must(jobs().claim("one", make_plan(7), 1, kLease)).value();
  EXPECT_EQ(must(jobs().share(held)).slices, slices(0, 7)) << "nobody has asked";
  EXPECT_FALSE(must(jobs().claim("two", make_plan(7), 2, kLease)).has_value());
  held = must(jobs().share(held));
  EXPECT_EQ(held.slices, slices(0, 4));
  EXPECT_EQ(must(jobs().share(held)).slices, slices(0, 4)) << "asked once";
  const Claim given = must(jobs().claim("two", make_plan(7), 2, kLease)).value();
  EXPECT_EQ(given.slices, slices(4, 7));
  EXPECT_FALSE(given.reclaimed);
  must(jobs().renew(held, kLease));
  must(jobs().renew(given, kLease));
}

TEST_P(PostgresClaims, NoMoreLanesThanAJobHasAreGivenAShare) {
  submit();
  const Claim one = must(jobs().claim("one", make_plan(8), 2, kLease)).value();
  const Claim two = must(jobs().claim("two", make_plan(8), 2, kLease)).value();
  EXPECT_FALSE(must(jobs().claim("three", make_plan(8), 2, kLease)).has_value());
  EXPECT_EQ(must(jobs().share(one)).slices.size(), 4u);
  EXPECT_EQ(must(jobs().share(two)).slices.size(), 4u);
}

// Whoever asks next asks the one who then has most; one slice cannot be shared.
TEST_P(PostgresClaims, AJobIsSharedUntilEachHasASlice) {
  submit();
  std::vector<Claim> holders = {must(jobs().claim("w", make_plan(4), 1, kLease)).value()};
  while (holders.size() < 4) {
    ASSERT_FALSE(must(jobs().claim("w", make_plan(4), 8, kLease)).has_value());
    for (Claim& holder : holders) holder = must(jobs().share(holder));
    while (const auto claimed = must(jobs().claim("w", make_plan(4), 4, kLease))) {
      holders.push_back(*claimed);
    }
  }
  EXPECT_FALSE(must(jobs().claim("w", make_plan(4), 8, kLease)).has_value());
  for (const Claim& holder : holders) {
    EXPECT_EQ(must(jobs().share(holder)).slices, holder.slices);
  }
}

TEST_P(PostgresClaims, WhoHasLostItsSlicesSharesNothing) {
  submit();
  const Claim lost = must(jobs().claim("one", make_plan(4), 1, kLease)).value();
  lease_runs_out();
  must(jobs().claim("two", make_plan(4), 1, kLease)).value();
  EXPECT_EQ(code(jobs().share(lost)), ErrorCode::kLost);
}

TEST_P(PostgresClaims, OfAllThatLeaveAtOnceOneIsLeft) {
  constexpr std::uint32_t kLanes = 4;
  for (int round = 0; round < 25; ++round) {
    const Job job = submit();
    std::vector<Claim> claims;
    while (const auto claimed =
               must(jobs().claim("w", make_plan(kLanes), kLanes, kLease))) {
      claims.push_back(*claimed);
    }
    ASSERT_EQ(claims.size(), kLanes);
    std::atomic<int> left = 0;
    std::barrier together(kLanes);
    std::vector<std::thread> threads;
    for (const Claim& claim : claims) {
      threads.emplace_back([&] {
        together.arrive_and_wait();
        if (must(jobs().leave(claim))) return;
        ++left;
        must(jobs().renew(claim, kLease));  // Its slices are its own still.
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(left, 1);
    abort(job);
  }
}

// A lane that died is not waited for: its slices are claimed by whoever comes.
TEST_P(PostgresClaims, TheDeadAreNotCountedAmongThoseWhoStay) {
  submit();
  const Claim dead = must(jobs().claim("one", make_plan(4), 2, kLease)).value();
  clock().advance(kLease / 2);
  const Claim alive = must(jobs().claim("two", make_plan(4), 2, kLease)).value();
  clock().advance(kLease / 2 + std::chrono::milliseconds(1));
  EXPECT_FALSE(must(jobs().leave(alive)));
  EXPECT_EQ(must(jobs().claim("three", make_plan(4), 2, kLease)).value().slices,
            dead.slices);
}

TEST_P(PostgresClaims, LanesThatClaimAtOnceGetDifferentSlices) {
  constexpr std::uint32_t kLanes = 8;
  for (int round = 0; round < 10; ++round) {
    const Job job = submit();
    const Claim first = must(jobs().claim("w", make_plan(8), kLanes, kLease)).value();
    std::mutex mutex;
    std::set<std::int64_t> slices;
    std::vector<std::thread> threads;
    for (std::uint32_t lane = 1; lane < kLanes; ++lane) {
      threads.emplace_back([&] {
        const auto claimed = must(jobs().claim("w", make_plan(8), kLanes, kLease));
        const std::lock_guard lock(mutex);
        ASSERT_TRUE(claimed.has_value());
        slices.insert(claimed->slices.front().value());
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(slices.size(), kLanes - 1);
    abort(job);
  }
}

TEST_P(PostgresClaims, WhoClaimsPassesByWhatAnotherOneIsClaiming) {
  submit();
  must(jobs().claim("w", make_plan(2), 2, kLease));
  auto other = must(backend().database().begin_write(kWait));
  must(db::postgres(*other).exec(
      "SELECT 1 FROM tallyman.lease WHERE token IS NULL FOR NO KEY UPDATE"));
  EXPECT_FALSE(must(jobs().claim("v", make_plan(2), 2, kLease)).has_value());
}

TEST_P(PostgresClaims, TheOwnerForWhomLessWasDoneIsNext) {
  for (const char* table : {"a", "b", "c"}) submit_of("ann", table);
  clock().advance(std::chrono::seconds(1));
  const Job late = submit_of("bob", "d");
  const auto owner_of = [&](const Claim& held) {
    return must(jobs().find(held.job)).owner;
  };
  EXPECT_EQ(owner_of(claim()), "ann") << "the oldest";
  EXPECT_EQ(claim().job, late.number);
  EXPECT_EQ(owner_of(claim()), "ann") << "bob has nothing more: nobody is idle for him";
  EXPECT_EQ(owner_of(claim()), "ann");
  EXPECT_TRUE(nothing_to_claim());
}

TEST_P(PostgresClaims, ManySlicesOfOneJobAreOneShare) {
  const auto claim_all = [&] {
    return must(jobs().claim("w", make_plan(8), 1, kLease)).value();
  };
  submit_of("ann", "a");
  EXPECT_EQ(claim_all().slices.size(), 8u);
  for (const char* table : {"b", "c"}) {
    submit_of("bob", table);
    claim();
  }
  submit_of("bob", "d");
  clock().advance(std::chrono::seconds(1));
  const Job next = submit_of("ann", "e");
  EXPECT_EQ(claim_all().job, next.number) << "for ann one job was started, for bob two";
}

TEST_P(PostgresClaims, LeasesOfOtherNodesOutliveTheStartOfANode) {
  submit();
  const Claim held = claim();
  const auto others_database = backend().another_nodes_database();
  const auto other = backend().another_node(*others_database);
  must(other->jobs.release_all());
  must(jobs().renew(held, kLease));
  EXPECT_TRUE(nothing_to_claim());
}

// A node that the network cut off keeps its session, and with it the unit's row and the
// locks of what it wrote.
TEST_P(PostgresClaims, WhoTakesOverDoesNotWaitForTheOldSession) {
  sql("CREATE TABLE people (id int PRIMARY KEY); INSERT INTO people VALUES (1)");
  for (const bool at_its_end : {false, true}) {
    const Job job = submit();
    const Claim dead = claim();
    auto cut_off = must(backend().database().begin_write(kWait));
    must(ledger().begin_unit(*cut_off, dead, {}));
    must(db::postgres(*cut_off).exec("UPDATE people SET id = 1"));
    if (at_its_end) {
      must(ledger().end_unit(*cut_off, dead, {}, 100, outcomes(1, 100)));
    }
    lease_runs_out();
    const Claim held = claim();
    EXPECT_TRUE(held.reclaimed);
    must(write_unit(held, 0, outcomes(1, 50), 100));
    sql("UPDATE people SET id = 1");
    EXPECT_FALSE(db::postgres(*cut_off).exec("SELECT 1").ok());
    EXPECT_FALSE(cut_off->commit().ok());
    EXPECT_EQ(must(ledger().counts(job.number)).created, 50u);
    abort(job);
  }
}

// An atomic job begins its units at its end only.
TEST_P(PostgresClaims, ATransactionThatIsSignedIsEndedWithItsClaim) {
  submit();
  const Claim dead = claim();
  auto cut_off = must(backend().database().begin_write(kWait));
  must(ledger().sign(*cut_off, dead));
  lease_runs_out();
  EXPECT_TRUE(claim().reclaimed);
  EXPECT_FALSE(db::postgres(*cut_off).exec("SELECT 1").ok());
}

TEST_P(PostgresClaims, OnlyTheSessionsOfTheDeadAreEnded) {
  submit("people");
  submit("pets");
  const Claim dead = claim();
  const Claim alive = claim();
  auto working = must(backend().database().begin_write(kWait));
  must(ledger().begin_unit(*working, alive, {}));
  lease_runs_out();
  must(jobs().renew(alive, kLease));
  EXPECT_EQ(claim().job, dead.job);
  must(ledger().end_unit(*working, alive, {}, 100, outcomes(1, 100)));
  must(working->commit());
}

TEST_P(PostgresClaims, AHeartbeatDoesNotWaitForAUnit) {
  submit();
  const Claim held = claim();
  auto unit = must(backend().database().begin_write(kWait));
  must(ledger().begin_unit(*unit, held, {}));
  must(ledger().end_unit(*unit, held, {}, 100, outcomes(1, 100)));
  must(jobs().renew(held, kLease));
  must(unit->commit());
}

TEST_P(PostgresClaims, LeasesAreMeasuredByTheDatabasesClock) {
  PostgresJobStore production(*backend().temporary(), clock(), backend().random);
  submit();
  const auto held =
      must(production.claim("w", make_plan(), 1, std::chrono::hours(1))).value();
  lease_runs_out();  // By the node's clock, which nobody asks.
  clock().advance(std::chrono::hours(2));
  EXPECT_FALSE(must(production.claim("v", make_plan(), 1, kLease)).has_value());
  must(production.renew(held, std::chrono::milliseconds(-1)));
  EXPECT_TRUE(must(production.claim("v", make_plan(), 1, kLease)).has_value());
}

}  // namespace
}  // namespace tallyman
