// SqliteKeyTable: the key table of a SQLite target. Its columns have the affinity and the
// collation of the key's columns, so two keys are one here exactly where they are one in
// the table.
//
// Threads: one at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "target/key_file.h"
#include "target/sqlite_window.h"

namespace tallyman {

struct SqliteKeyColumn {
  std::size_t column;  // Of the upload.
  SqliteAffinity affinity;
  std::string collation;
};

class SqliteKeyTable final : public KeyFile {
 public:
  // Makes the file anew.
  static Result<std::unique_ptr<SqliteKeyTable>> make(const std::string& path,
                                                      std::vector<SqliteKeyColumn> key);

 private:
  SqliteKeyTable(const std::string& path,
                 std::unique_ptr<db::SqliteConnection> connection,
                 std::vector<SqliteKeyColumn> key)
      : KeyFile(path, std::move(connection), key.size()), key_(std::move(key)) {}

  bool bind_key(const BoundWindow& window, std::size_t i, db::SqliteStatement& statement,
                int first_place) const override;
  RecordNumber first_record(const BoundWindow& window) const override;

  const std::vector<SqliteKeyColumn> key_;
};

}  // namespace tallyman
