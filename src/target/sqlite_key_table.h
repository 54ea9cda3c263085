// SqliteKeyTable: a KeyTable in a SQLite file of its own. Its columns have the affinity
// and the collation of the key's columns, so two keys are one here exactly where they are
// one in the table.
//
// Ownership: owns its connection and the file, which goes with it.
// Threads:   one at a time.
// Memory:    16 MiB of page cache, however large the upload.
// Durability: none; after a crash it is made anew from the upload and the ledger.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/sqlite.h"
#include "target/sqlite_window.h"
#include "target/target.h"

namespace tallyman {

struct SqliteKeyColumn {
  std::size_t column;  // Of the upload.
  SqliteAffinity affinity;
  std::string collation;
};

class SqliteKeyTable final : public KeyTable {
 public:
  // Makes the file anew.
  static Result<std::unique_ptr<SqliteKeyTable>> make(const std::string& path,
                                                      std::vector<SqliteKeyColumn> key);
  ~SqliteKeyTable() override;

  Result<void> add(const BoundWindow& window) override;
  Result<void> add_applied(const BoundWindow& window,
                           const UnitOutcomes& outcomes) override;
  Result<std::vector<Occurrences>> find(const BoundWindow& window) override;

 private:
  SqliteKeyTable(std::string path, std::unique_ptr<db::SqliteConnection> connection,
                 std::vector<SqliteKeyColumn> key)
      : path_(std::move(path)),
        connection_(std::move(connection)),
        key_(std::move(key)) {}

  // False where the record has no key.
  bool bind_key(const SqliteWindow& window, std::size_t i, db::SqliteStatement& statement,
                int first_place) const;
  std::string where_key(std::size_t first_parameter) const;
  template <class Work>
  Result<void> in_transaction(Work&& work);

  const std::string path_;
  const std::unique_ptr<db::SqliteConnection> connection_;
  const std::vector<SqliteKeyColumn> key_;
};

}  // namespace tallyman
