// SqliteTestBackend: a SQLite file in a temporary folder as a TargetBackend. In memory
// where the system has such a place: these tests commit often, and none of them is about
// disks.
#pragma once

#include <string>
#include <vector>

#include "db/test_database.h"
#include "target/sqlite_target.h"
#include "target/target_test_job.h"

namespace tallyman {

class SqliteTestBackend final : public TargetBackend {
 public:
  SqliteTestBackend() {
    auto opened =
        db::SqliteDatabase::open({.path = folder_.file("test.db"), .create = true});
    CHECK(opened.ok());
    database_ = std::move(opened).value();
    target_ = std::make_unique<SqliteTarget>(*database_);
  }

  Target& target() override { return *target_; }
  db::Database& database() override { return *database_; }

  void execute(const std::string& sql) override {
    auto transaction = database_->begin_write(std::chrono::seconds(5));
    CHECK(transaction.ok());
    const auto done = db::sqlite(*transaction.value()).exec(sql.c_str());
    EXPECT_TRUE(done.ok()) << done.error().message;
    EXPECT_TRUE(transaction.value()->commit().ok());
  }

  std::vector<std::string> query(const std::string& sql) override {
    auto transaction = database_->begin_read();
    CHECK(transaction.ok());
    auto prepared = db::sqlite(*transaction.value()).prepare(sql);
    CHECK(prepared.ok());
    db::SqliteStatement statement = std::move(prepared).value();
    std::vector<std::string> rows;
    while (statement.step().value()) {
      std::string row;
      for (int i = 0; i < statement.column_count(); ++i) {
        row += (i == 0 ? "" : "|");
        row += statement.is_null(i) ? "NULL" : statement.text(i);
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  std::string scratch_file() override {
    return folder_.file("keys" + std::to_string(++scratch_files_));
  }

 private:
  static std::filesystem::path parent() {
    const std::filesystem::path in_memory = "/dev/shm";
    std::error_code ignored;
    return std::filesystem::is_directory(in_memory, ignored)
               ? in_memory
               : std::filesystem::temp_directory_path();
  }

  db::TemporaryFolder folder_{parent()};
  std::unique_ptr<db::SqliteDatabase> database_;
  std::unique_ptr<SqliteTarget> target_;
  int scratch_files_ = 0;
};

inline std::unique_ptr<TargetBackend> make_sqlite_test_backend() {
  return std::make_unique<SqliteTestBackend>();
}

}  // namespace tallyman
