// What only the PostgreSQL stores can show: several nodes over one database.
#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "store/postgres_backend.h"

namespace tallyman {
namespace {

class PostgresStores : public StoreConformance {
 protected:
  PostgresBackend& backend() { return static_cast<PostgresBackend&>(*backend_); }
  PostgresBackend::Stores& other() {
    if (!other_) other_ = backend().another_node(others_database());
    return *other_;
  }
  db::PostgresDatabase& others_database() {
    if (!others_database_) others_database_ = backend().another_nodes_database();
    return *others_database_;
  }
  std::unique_ptr<db::Transaction> begin(std::chrono::milliseconds wait = kWait) {
    return must(backend().database().begin_write(wait));
  }
  std::int64_t number(const std::string& sql) {
    const auto transaction = begin();
    return must(db::postgres(*transaction).exec(sql)).integer(0, 0);
  }
  std::int64_t listeners() {
    return number(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' "
        "AND datname = current_database()");
  }
  // Runs `work` in a thread of its own, and `meanwhile` once it waits for a lock. False:
  // it never did.
  bool waits(const std::function<void()>& work, const std::function<void()>& meanwhile) {
    std::atomic<bool> done = false;
    std::thread thread([&] {
      work();
      done = true;
    });
    bool waited = false;
    while (!waited && !done) {
      waited = number("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0;
    }
    meanwhile();
    thread.join();
    return waited;
  }

  std::unique_ptr<db::PostgresDatabase> others_database_;
  std::unique_ptr<PostgresBackend::Stores> other_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, PostgresStores, testing::Values([] {
                           return std::make_unique<PostgresBackend>();
                         }));

// --- Deadlocks ------------------------------------------------------------------------

// A stranger takes the locks in the other order. Who waits for longer is the victim: on a
// slow machine it may be the stranger.
TEST_P(PostgresStores, TheVictimOfADeadlockDoesItAgain) {
  bool was_victim = false;
  for (int round = 0; round < 10 && !was_victim; ++round) {
    const Job job = open();
    auto stranger = begin();
    db::PostgresConnection& theirs = db::postgres(*stranger);
    must(theirs.exec("INSERT INTO tallyman.owner (name, stored_bytes) VALUES ('" +
                     job.owner +
                     "', 0) ON CONFLICT (name) DO UPDATE SET stored_bytes = 0"));
    std::optional<Result<Job>> uploaded;
    EXPECT_TRUE(waits([&] { uploaded = jobs().apply(upload_completed(job)); },
                      [&] {
                        was_victim =
                            theirs.exec("SELECT 1 FROM tallyman.job FOR UPDATE").ok();
                        stranger.reset();
                      }));
    EXPECT_EQ(must(std::move(*uploaded)).state, JobState::kUploadComplete);
  }
  EXPECT_TRUE(was_victim);
}

// A unit refers to the job from its begin on, and asks for the job's state at its end.
TEST_P(PostgresStores, WhoRemovesAJobWaitsForAUnitThatIsUnderWay) {
  const Job job = submit();
  const Claim held = claim();
  auto unit = begin();
  must(
      backend().ledger().begin_unit(*unit, held, {WindowNumber(0), held.slices.front()}));
  abort(job);
  std::optional<Result<void>> removed;
  std::optional<Result<void>> ended;
  EXPECT_TRUE(waits([&] { removed = jobs().remove(job.id); },
                    [&] {
                      ended = ledger().end_unit(*unit, held, {}, 0, {});
                      unit.reset();
                    }));
  EXPECT_EQ(ended->error().code, ErrorCode::kLost) << ended->error().message;
  EXPECT_TRUE(removed->ok()) << removed->error().message;
}

// --- Events ---------------------------------------------------------------------------

TEST_P(PostgresStores, ANodeHearsOfTheChangesOfAnother) {
  const auto wakes = [&](const auto& change) {
    const std::uint64_t seen = other().jobs.changes().version();
    change();
    EXPECT_GT(other().jobs.changes().wait(seen, kWait), seen);
  };
  std::optional<Job> job;
  std::optional<Claim> held;
  wakes([&] { job = open(); });
  EXPECT_EQ(listeners(), 2) << "or it would be told by polling";
  wakes([&] { must(jobs().apply(upload_completed(*job))); });
  wakes([&] { held = claim(); });
  wakes([&] { must(write_unit(*held, 0, outcomes(1, 100))); });
  wakes([&] { must(jobs().release(*held)); });
  wakes([&] { abort(*job); });
  wakes([&] { must(backend().aggregates().request(job->number, {{"n", "{}"}})); });
}

TEST_P(PostgresStores, WhatIsRolledBackWakesNobody) {
  const Job job = open();
  const auto mine = begin();
  must(jobs().apply(*mine, upload_completed(job)));
  mine->rollback();
  auto listening = must(backend().temporary()->connect());
  must(listening->exec("LISTEN tallyman"));
  EXPECT_FALSE(must(listening->wait_for_notification(std::chrono::milliseconds(20))));
  must(jobs().note(job.number, "x", "y", "z"));
  EXPECT_TRUE(must(listening->wait_for_notification(kWait)));
}

TEST_P(PostgresStores, ANodeThatLosesItsListenerListensAgain) {
  EXPECT_EQ(listeners(), 1);
  const std::uint64_t seen = jobs().changes().version();
  db::TestPostgresServer::sql(
      backend().temporary().superuser_url(),
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' "
      "AND datname = current_database()");
  EXPECT_GT(jobs().changes().wait(seen, kWait), seen) << "it may have missed something";
  while (listeners() == 0) std::this_thread::yield();
}

TEST_P(PostgresStores, ANodeThatCannotListenLooksByItself) {
  const auto limit = [&](const char* connections) {
    db::TestPostgresServer::sql(
        backend().temporary().superuser_url(),
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT " +
            std::string(connections) + "', current_database()); END $$");
  };
  must(begin()->commit());  // A connection that the pool keeps.
  others_database();
  limit("1");
  std::uint64_t seen = other().jobs.changes().version();
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t now = other().jobs.changes().wait(seen, kWait);
    EXPECT_GT(now, seen);
    seen = now;
  }
  EXPECT_EQ(listeners(), 1) << "the first node's";
  limit("-1");
  while (listeners() == 1) std::this_thread::yield();
}

// --- Races ----------------------------------------------------------------------------

TEST_P(PostgresStores, OfTwoNodesThatRaceOneGetsAConflict) {
  for (int round = 0; round < 20; ++round) {
    const Job job = submit();
    const Claim held = claim();
    std::atomic<int> won = 0;
    const auto race = [&](JobStore& store, JobChange change) {
      const auto applied = store.apply(change);
      won += applied.ok() ? 1 : 0;
      if (applied.ok()) return;
      EXPECT_TRUE(applied.error().code == ErrorCode::kConflict ||
                  applied.error().code == ErrorCode::kLost)
          << applied.error().message;
    };
    std::thread rival([&] {
      race(other().jobs, {.id = job.id, .event = JobEvent::kFinished, .claim = held});
    });
    race(jobs(), {.id = job.id, .event = JobEvent::kAbortRequested});
    rival.join();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(must(jobs().history(job.number)).size(), 4u);
  }
}

TEST_P(PostgresStores, SubmissionsAreNumberedWithoutGapsOrDoubles) {
  constexpr int kThreads = 8;
  constexpr int kJobs = 12;
  std::vector<std::vector<std::int64_t>> numbers(kThreads);
  std::vector<std::vector<Job>> made(kThreads);
  for (auto& some : made) {
    for (int i = 0; i < kJobs; ++i) some.push_back(open());
  }
  other();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      JobStore& store = i % 2 ? static_cast<JobStore&>(other().jobs) : jobs();
      for (const Job& job : made[i]) {
        JobChange refused = upload_completed(job);
        refused.upload->stored_bytes_max = 1;
        EXPECT_EQ(code(store.apply(refused)), ErrorCode::kTooLarge);
        numbers[i].push_back(*must(store.apply(upload_completed(job))).submission);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::int64_t> all;
  for (const auto& some : numbers) {
    EXPECT_TRUE(std::ranges::is_sorted(some)) << "in the order of the commits";
    all.insert(all.end(), some.begin(), some.end());
  }
  std::ranges::sort(all);
  std::vector<std::int64_t> expected(kThreads * kJobs);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(all, expected);
}

TEST_P(PostgresStores, OfManyThatRaceForAnIdempotencyKeyOneGetsIt) {
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> made = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      NewJob job = new_job();
      job.idempotency_key = "key " + std::to_string(round);
      threads.emplace_back([&, job] {
        const auto created = jobs().create(job);
        made += created.ok() ? 1 : 0;
        if (!created.ok()) {
          EXPECT_EQ(created.error().code, ErrorCode::kConflict);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(made, 1);
  }
}

TEST_P(PostgresStores, ManyMayWriteOneHistory) {
  const Job job = submit();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int note = 0; note < 20; ++note) {
        i % 2 ? must(jobs().note(job.number, "noted", "x", ""))
              : must(jobs().add_retry(job.number, "busy"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto history = must(jobs().history(job.number));
  ASSERT_EQ(history.size(), 162u);
  EXPECT_EQ(history.back().sequence, 162);
}

// --- Units ----------------------------------------------------------------------------

TEST_P(PostgresStores, AnAbortDoesNotWaitForAnOpenUnit) {
  const Job job = submit();
  const Claim held = claim();
  auto unit = begin();
  must(ledger().begin_unit(*unit, held, {}));
  abort(job);
  EXPECT_EQ(code(ledger().end_unit(*unit, held, {}, 100, outcomes(1, 100))),
            ErrorCode::kLost);
}

TEST_P(PostgresStores, AnAbortCountsTheUnitThatCommitsWhileItWaits) {
  const Job job = submit();
  const Claim held = claim();
  auto unit = begin();
  must(ledger().begin_unit(*unit, held, {}));
  must(ledger().end_unit(*unit, held, {}, 100, outcomes(1, 100)));
  std::optional<Job> aborted;
  EXPECT_TRUE(waits([&] { aborted = abort(job); }, [&] { must(unit->commit()); }));
  EXPECT_EQ(aborted->counts.created, 100u);
  EXPECT_EQ(must(jobs().find(job.id)).counts.created, 100u);
}

TEST_P(PostgresStores, LanesEndTheirUnitsSideBySide) {
  const Job job = submit();
  const Claim zero = claim(2);
  const Claim one = claim(2);
  const UnitPlace of_one{.slice = one.slices.front()};
  auto first = begin();
  auto second = begin(std::chrono::milliseconds(500));  // It would wait no longer.
  must(ledger().begin_unit(*first, zero, {}));
  must(ledger().begin_unit(*second, one, of_one));
  must(ledger().end_unit(*first, zero, {}, 100, outcomes(1, 50)));
  must(ledger().end_unit(*second, one, of_one, 100, outcomes(51, 50)));
  must(second->commit());
  must(first->commit());
  EXPECT_EQ(must(jobs().find(job.id)).counts.created, 100u);
}

TEST_P(PostgresStores, ASecondAttemptWaitsForADoubtfulCommit) {
  for (const bool commits : {true, false}) {
    const Job job = submit();
    const Claim held = claim();
    auto doubtful = begin();
    must(ledger().begin_unit(*doubtful, held, {}));
    must(ledger().end_unit(*doubtful, held, {}, 100, outcomes(1, 100)));
    std::optional<Result<void>> again;
    EXPECT_TRUE(
        waits([&] { again = write_unit(held, 0, outcomes(1, 100)); },
              [&] { commits ? must(doubtful->commit()) : doubtful->rollback(); }));
    EXPECT_EQ(again->ok(), !commits);
    if (commits) {
      EXPECT_EQ(again->error().code, ErrorCode::kConflict);
    }
    EXPECT_EQ(must(ledger().counts(job.number)).created, 100u);
    abort(job);
  }
}

TEST_P(PostgresStores, BytesInTheLedgerThatAreNotOursAreReported) {
  const Job job = submit();
  const Claim held = claim();
  must(write_unit(held, 0, outcomes(1, 100)));
  backend().temporary().sql("UPDATE tallyman.unit SET outcomes = '\\xFF00'");
  EXPECT_EQ(code(ledger().next_unit(job.number, WindowNumber(0), SliceNumber(0))),
            ErrorCode::kInternal);
}

TEST_P(PostgresStores, TextThatTheDatabaseCannotKeepIsReplaced) {
  const Job job = must(jobs().apply({.id = open().id,
                                     .event = JobEvent::kUploadRefused,
                                     .detail = std::string("a\0b\xFFz", 5)}));
  EXPECT_EQ(must(jobs().find(job.id)).message, "a\uFFFDb\uFFFDz");
}

}  // namespace
}  // namespace tallyman
