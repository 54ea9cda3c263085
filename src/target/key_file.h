// KeyFile: a KeyTable in a SQLite file of its own, whatever the database is. A backend
// says what the key's columns are and binds a record's key.
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
#include "target/target.h"

namespace tallyman {

class KeyFile : public KeyTable {
 public:
  ~KeyFile() override;

  Result<void> add(const BoundWindow& window) override;
  Result<void> add_applied(const BoundWindow& window,
                           const UnitOutcomes& outcomes) override;
  Result<std::vector<Occurrences>> find(const BoundWindow& window) override;

 protected:
  // Makes the file anew. `types`: of each column of the key, with its collation, in
  // SQLite's words.
  static Result<std::unique_ptr<db::SqliteConnection>> make_file(
      const std::string& path, const std::vector<std::string>& types);

  KeyFile(std::string path, std::unique_ptr<db::SqliteConnection> connection,
          std::size_t columns)
      : path_(std::move(path)), connection_(std::move(connection)), columns_(columns) {}

  // False where the record has no key. What is bound must live until the window goes.
  virtual bool bind_key(const BoundWindow& window, std::size_t i,
                        db::SqliteStatement& statement, int first_place) const = 0;
  virtual RecordNumber first_record(const BoundWindow& window) const = 0;

 private:
  std::string where_key(std::size_t first_parameter) const;
  template <class Work>
  Result<void> in_transaction(Work&& work);

  const std::string path_;
  const std::unique_ptr<db::SqliteConnection> connection_;
  const std::size_t columns_;
};

}  // namespace tallyman
