#include "payload/postgres_payload_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "db/test_postgres.h"
#include "payload/postgres_payload_schema.h"
#include "payload/test_folder.h"

namespace tallyman {
namespace {

using testing::HasSubstr;

class PostgresPayloadPlace : public testing::Test {
 protected:
  PostgresPayloadPlace() { CHECK(prepare_postgres_payload_schema(*database_).ok()); }

  Result<void> use_folder(const TestFolder& folder) {
    return settle_payload_folder(*database_, folder.path(), random_);
  }

  SystemRandom random_;
  db::TemporaryPostgres database_;
  TestFolder folder_;
  TestFolder other_;
};

TEST_F(PostgresPayloadPlace, EveryNodeUsesTheDatabase) {
  ASSERT_TRUE(settle_payload_database(*database_).ok());
  ASSERT_TRUE(settle_payload_database(*database_).ok());
  const auto refused = use_folder(folder_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("payload = \"database\""));
}

TEST_F(PostgresPayloadPlace, OrEveryNodeUsesTheSameFolderWhereverItIsMounted) {
  ASSERT_TRUE(use_folder(folder_).ok());
  ASSERT_TRUE(use_folder(folder_).ok());
  const std::filesystem::path elsewhere = other_.path() / "mounted";
  std::filesystem::create_directory_symlink(folder_.path(), elsewhere);
  EXPECT_TRUE(settle_payload_folder(*database_, elsewhere, random_).ok());
}

TEST_F(PostgresPayloadPlace, ASecondNodeWithAFolderOfItsOwnIsRefused) {
  ASSERT_TRUE(use_folder(folder_).ok());
  const auto refused = use_folder(other_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr(other_.path().string()));
  EXPECT_TRUE(std::filesystem::is_empty(other_.path()));
  EXPECT_EQ(settle_payload_database(*database_).error().code, ErrorCode::kConflict);
}

TEST_F(PostgresPayloadPlace, TheFolderOfAnotherDatabaseIsRefused) {
  db::TemporaryPostgres another;
  ASSERT_TRUE(prepare_postgres_payload_schema(*another).ok());
  ASSERT_TRUE(settle_payload_folder(*another, folder_.path(), random_).ok());
  const auto refused = use_folder(folder_);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("another database"));
  EXPECT_TRUE(use_folder(other_).ok());
}

TEST_F(PostgresPayloadPlace, OfNodesThatStartAtOnceOnlyThoseWithOneFolderGoOn) {
  for (int round = 0; round < 5; ++round) {
    database_.sql("DELETE FROM tallyman.payload_place");
    const TestFolder one;
    const TestFolder two;
    std::atomic<int> of_one = 0;
    std::atomic<int> of_two = 0;
    std::vector<std::thread> nodes;
    for (int i = 0; i < 6; ++i) {
      nodes.emplace_back([&, i] {
        SystemRandom random;
        const TestFolder& folder = i % 2 ? one : two;
        const bool ok = settle_payload_folder(*database_, folder.path(), random).ok();
        if (ok) ++(i % 2 ? of_one : of_two);
      });
    }
    for (std::thread& node : nodes) node.join();
    EXPECT_EQ(of_one + of_two, 3);
    EXPECT_TRUE(of_one == 0 || of_two == 0);
  }
}

}  // namespace
}  // namespace tallyman
