// What only the SQLite stores can show.
#include <gtest/gtest.h>

#include "store/sqlite_backend.h"

namespace tallyman {
namespace {

class SqliteStoreTest : public testing::Test {
 protected:
  void commit(const std::string& sql) {
    auto transaction = backend_.database().begin_write(std::chrono::seconds(5));
    ASSERT_TRUE(transaction.ok());
    auto owned = std::move(transaction).value();
    const auto done = db::sqlite(*owned).exec(sql.c_str());
    ASSERT_TRUE(done.ok()) << done.error().message;
    ASSERT_TRUE(owned->commit().ok());
  }

  SqliteBackend backend_;
};

TEST_F(SqliteStoreTest, TablesAreMadeOnce) {
  EXPECT_TRUE(prepare_sqlite_schema(backend_.database()).ok());
  EXPECT_TRUE(prepare_sqlite_schema(backend_.database()).ok());
}

TEST_F(SqliteStoreTest, TablesOfANewerProgramAreRefused) {
  commit("UPDATE tallyman_meta SET version = version + 1");
  const auto prepared = prepare_sqlite_schema(backend_.database());
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(prepared.error().message.find(std::to_string(kSqliteSchemaVersion + 1)),
            std::string::npos);
  EXPECT_NE(prepared.error().message.find("newer program"), std::string::npos);
}

TEST_F(SqliteStoreTest, AHeartbeatDoesNotWaitForTheWriter) {
  auto& jobs = backend_.jobs();
  NewJob made{.id = JobId(Uuid::make_v7(backend_.clock.now(), backend_.random)),
              .resource = "people",
              .table = "people",
              .owner = "ann",
              .created_by = "ann",
              .options = {},
              .idempotency_key = {},
              .parent = std::nullopt};
  ASSERT_TRUE(jobs.create(made).ok());
  ASSERT_TRUE(jobs.apply({.id = made.id,
                          .event = JobEvent::kUploadCompleted,
                          .upload = CompletedUpload{.total_items = 1}})
                  .ok());
  const auto make_plan = [](const Job&) {
    return WindowPlan{.window_records = 1, .window_bytes = 1};
  };
  const auto claimed = jobs.claim("w", make_plan, 1, std::chrono::seconds(10));
  ASSERT_TRUE(claimed.ok() && claimed.value().has_value());

  const auto writer = backend_.database().begin_write(std::chrono::seconds(5));
  ASSERT_TRUE(writer.ok());
  backend_.clock.advance(std::chrono::seconds(9));
  EXPECT_TRUE(jobs.renew(*claimed.value(), std::chrono::seconds(10)).ok());
  backend_.clock.advance(std::chrono::seconds(9));
  // A look in vain needs no writer either.
  const auto second = jobs.claim("v", make_plan, 1, std::chrono::seconds(10));
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_FALSE(second.value().has_value());
}

TEST_F(SqliteStoreTest, BytesInTheLedgerThatAreNotOursAreReported) {
  commit(
      "INSERT INTO tallyman_job (id, resource, table_name, operation, state, owner, "
      "created_by, options, dry_run, created_at, updated_at, epoch, columns, "
      "upload_bytes, "
      "checked_items, created, updated, unchanged, deleted, failed, message, verified, "
      "results_expired, retries, lanes_reason, superseded, idempotency_key, fingerprint) "
      "VALUES ('00000000-0000-7000-8000-000000000001', 'r', 't', 0, 0, 'o', 'o', '{}', "
      "0, "
      "0, 0, 0, x'01', 0, 0, 0, 0, 0, 0, 0, '', 0, 0, 0, '', 0, '', '');"
      "INSERT INTO tallyman_unit VALUES (1, 0, 0, 1, 1, 0, 0, 0, 0, x'', x'FF00')");
  const auto unit =
      backend_.ledger().next_unit(JobNumber(1), WindowNumber(0), SliceNumber(0));
  ASSERT_FALSE(unit.ok());
  EXPECT_EQ(unit.error().code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace tallyman
