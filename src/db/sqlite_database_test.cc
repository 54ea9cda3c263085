#include "db/sqlite_database.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "db/test_database.h"

namespace tallyman::db {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::unique_ptr<Transaction> write(SqliteDatabase& database) {
  auto begun = database.begin_write(seconds(10));
  CHECK(begun.ok());
  return std::move(begun).value();
}

std::unique_ptr<Transaction> read(SqliteDatabase& database) {
  auto begun = database.begin_read();
  CHECK(begun.ok());
  return std::move(begun).value();
}

std::int64_t count(Transaction& transaction) {
  auto statement = sqlite(transaction).prepare("SELECT count(*) FROM t").value();
  CHECK(statement.step().value());
  return statement.integer(0);
}

class SqliteDatabaseTest : public testing::Test {
 protected:
  void SetUp() override { commit("CREATE TABLE t (i INTEGER UNIQUE)"); }

  void commit(const char* sql) {
    auto transaction = write(*database_);
    ASSERT_TRUE(sqlite(*transaction).exec(sql).ok());
    ASSERT_TRUE(transaction->commit().ok());
  }
  std::int64_t count_now() { return count(*read(*database_)); }

  // Another program's connection to the same file.
  std::unique_ptr<SqliteConnection> stranger() {
    auto opened = SqliteConnection::open({.path = database_.path()});
    CHECK(opened.ok());
    return std::move(opened).value();
  }

  TemporaryDatabase database_;
};

TEST_F(SqliteDatabaseTest, KeepsWhatWasCommittedAndNothingElse) {
  commit("INSERT INTO t VALUES (1)");
  {
    auto dropped = write(*database_);
    ASSERT_TRUE(sqlite(*dropped).exec("INSERT INTO t VALUES (2)").ok());
  }
  auto undone = write(*database_);
  ASSERT_TRUE(sqlite(*undone).exec("INSERT INTO t VALUES (3)").ok());
  undone->rollback();
  EXPECT_EQ(count_now(), 1);
  database_.reopen();
  EXPECT_EQ(count_now(), 1);
}

TEST_F(SqliteDatabaseTest, ASnapshotStartsWhenItIsBegun) {
  auto before = read(*database_);
  commit("INSERT INTO t VALUES (1)");
  EXPECT_EQ(count(*before), 0);
  EXPECT_EQ(count_now(), 1);
}

TEST_F(SqliteDatabaseTest, AReaderCannotWrite) {
  auto transaction = read(*database_);
  EXPECT_FALSE(sqlite(*transaction).exec("INSERT INTO t VALUES (1)").ok());
}

TEST_F(SqliteDatabaseTest, OffersAsManyReadersAsAreAskedFor) {
  std::vector<std::unique_ptr<Transaction>> readers;
  for (int i = 0; i < 20; ++i) readers.push_back(read(*database_));
  for (const auto& reader : readers) EXPECT_EQ(count(*reader), 0);
}

TEST_F(SqliteDatabaseTest, TellsWhoWaitsTooLong) {
  auto held = write(*database_);
  const auto second = database_->begin_write(milliseconds(10));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message.find("busy with other writes"), std::string::npos);
  held->rollback();
  EXPECT_TRUE(database_->begin_write(milliseconds(10)).ok());
}

TEST_F(SqliteDatabaseTest, NeverSaysThatTheDatabaseIsLocked) {
  auto other = stranger();
  ASSERT_TRUE(other->exec("BEGIN IMMEDIATE").ok());
  const auto refused = database_->begin_write(milliseconds(30));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.error().message.find("locked"), std::string::npos);
  EXPECT_NE(refused.error().message.find("another program"), std::string::npos);
}

TEST_F(SqliteDatabaseTest, WaitsForAStrangersLock) {
  auto other = stranger();
  ASSERT_TRUE(other->exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").ok());
  auto waiting = std::async(std::launch::async, [&] {
    auto transaction = write(*database_);
    return count(*transaction);
  });
  // However long the other thread takes to come to the lock: it sees the stranger's row.
  ASSERT_TRUE(other->exec("COMMIT").ok());
  EXPECT_EQ(waiting.get(), 1);
}

TEST_F(SqliteDatabaseTest, SaysSoWhenATriggerHasRolledBack) {
  commit(
      "CREATE TRIGGER stop BEFORE INSERT ON t WHEN new.i = 13 BEGIN "
      "SELECT RAISE(ROLLBACK, 'no'); END");
  auto transaction = write(*database_);
  auto* own = dynamic_cast<SqliteTransaction*>(transaction.get());
  ASSERT_TRUE(own->is_open());
  ASSERT_FALSE(own->connection().exec("INSERT INTO t VALUES (1), (13)").ok());
  EXPECT_FALSE(own->is_open());
  const auto committed = transaction->commit();
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().code, ErrorCode::kLost);
  commit("INSERT INTO t VALUES (2)");
  EXPECT_EQ(count_now(), 1);
}

TEST_F(SqliteDatabaseTest, ACommitThatBreaksADeferredKeyLeavesNothing) {
  commit("CREATE TABLE child (i INTEGER REFERENCES t (i) DEFERRABLE INITIALLY DEFERRED)");
  auto transaction = write(*database_);
  ASSERT_TRUE(sqlite(*transaction)
                  .exec("INSERT INTO t VALUES (1); INSERT INTO child VALUES (5)")
                  .ok());
  const auto committed = transaction->commit();
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().code, ErrorCode::kConflict);
  EXPECT_EQ(count_now(), 0);
  commit("INSERT INTO t VALUES (2)");
}

TEST_F(SqliteDatabaseTest, AFullDiskIsOutOfSpaceAndLeavesNothing) {
  auto transaction = write(*database_);
  auto& connection = sqlite(*transaction);
  ASSERT_TRUE(connection.exec("PRAGMA max_page_count = 10").ok());
  auto filled = connection.exec(
      "CREATE TABLE big (x); "
      "INSERT INTO big SELECT zeroblob(4000) FROM "
      "json_each('[1,2,3,4,5,6,7,8,9,10,11,12]')");
  ASSERT_FALSE(filled.ok());
  EXPECT_EQ(filled.error().code, ErrorCode::kOutOfSpace);
  transaction->rollback();
  commit("INSERT INTO t VALUES (1)");
  EXPECT_EQ(count_now(), 1);
}

TEST_F(SqliteDatabaseTest, ManyWritersEachHaveTheirTurn) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 25; ++i) {
        auto transaction = write(*database_);
        const std::int64_t before = count(*transaction);
        const std::string row = std::to_string(thread * 100 + i);
        CHECK(sqlite(*transaction)
                  .exec(("INSERT INTO t VALUES (" + row + ")").c_str())
                  .ok());
        CHECK(count(*transaction) == before + 1);
        CHECK(transaction->commit().ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count_now(), 100);
}

TEST(FairLock, ServesInTheOrderOfComing) {
  FairLock lock;
  const auto deadline = std::chrono::steady_clock::now() + seconds(30);
  ASSERT_TRUE(lock.acquire_until(deadline));
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([&, i] {
      CHECK(lock.acquire_until(deadline));
      order.push_back(i);
      lock.release();
    });
    while (lock.waiting() < static_cast<std::size_t>(i) + 1) std::this_thread::yield();
  }
  lock.release();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(FairLock, WhoGivesUpLosesTheirPlaceOnly) {
  FairLock lock;
  const auto now = std::chrono::steady_clock::now();
  ASSERT_TRUE(lock.acquire_until(now));
  EXPECT_FALSE(lock.acquire_until(now));
  EXPECT_FALSE(lock.acquire_until(now + milliseconds(5)));
  EXPECT_EQ(lock.waiting(), 0u);
  lock.release();
  EXPECT_TRUE(lock.acquire_until(now));
}

TEST(SqlitePath, ReadsTheUrl) {
  EXPECT_EQ(sqlite_path("sqlite:app.db").value(), "app.db");
  EXPECT_EQ(sqlite_path("sqlite:/srv/app.db").value(), "/srv/app.db");
  EXPECT_EQ(sqlite_path("sqlite:///srv/app.db").value(), "/srv/app.db");
  for (const char* url : {"app.db", "postgresql://host/db",
                          "sqlite:", "sqlite::memory:", "sqlite://host/app.db"}) {
    SCOPED_TRACE(url);
    const auto path = sqlite_path(url);
    ASSERT_FALSE(path.ok());
    EXPECT_EQ(path.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(path.error().message.find("sqlite:"), std::string::npos);
  }
}

TEST(SqliteProcessLock, NamesTheProcessThatHasIt) {
  const TemporaryFolder folder;
  const std::string path = folder.file("app.db");
  std::ofstream(path).close();
  std::filesystem::create_symlink(path, folder.file("link.db"));

  auto first = SqliteProcessLock::take(path);
  ASSERT_TRUE(first.ok()) << first.error().message;
  for (const std::string& name : {path, folder.file("link.db")}) {
    const auto second = SqliteProcessLock::take(name);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_NE(second.error().message.find("process " + std::to_string(getpid())),
              std::string::npos);
  }
  { auto let_go = std::move(first).value(); }
  EXPECT_TRUE(SqliteProcessLock::take(path).ok());
}

TEST(SqliteProcessLock, GoesWithAProcessThatIsKilled) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto lock = SqliteProcessLock::take(folder.file("app.db"));
    const char answer = lock.ok() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) _exit(1);
    pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  const auto refused = SqliteProcessLock::take(folder.file("app.db"));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find(std::to_string(child)), std::string::npos);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(SqliteProcessLock::take(folder.file("app.db")).ok());
}

}  // namespace
}  // namespace tallyman::db
