// TemporaryDatabase: a SQLite file for a test, in a folder that goes with it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/check.h"
#include "db/sqlite_database.h"

namespace tallyman::db {

class TemporaryFolder {
 public:
  explicit TemporaryFolder(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = (parent / "tallyman-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TemporaryDatabase {
 public:
  TemporaryDatabase() { reopen(); }

  SqliteDatabase& operator*() { return *database_; }
  SqliteDatabase* operator->() { return database_.get(); }
  std::string path() const { return folder_.file("test.db"); }

  // Closes the file and opens it again, as a new process would. REQUIRES: no transaction.
  void reopen() {
    database_.reset();
    auto opened = SqliteDatabase::open({.path = path(), .create = true});
    CHECK(opened.ok());
    database_ = std::move(opened).value();
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<SqliteDatabase> database_;
};

}  // namespace tallyman::db
