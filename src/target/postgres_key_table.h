// PostgresKeyTable: the key table of a PostgreSQL target. Keys are compared by their wire
// bytes: for keys whose equality is that (PostgresKey::canonical).
//
// Threads: one at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "target/key_file.h"
#include "target/postgres_window.h"

namespace tallyman {

class PostgresKeyTable final : public KeyFile {
 public:
  // Makes the file anew. `key`: columns of the upload.
  static Result<std::unique_ptr<PostgresKeyTable>> make(const std::string& path,
                                                        std::vector<std::size_t> key);

 private:
  PostgresKeyTable(const std::string& path,
                   std::unique_ptr<db::SqliteConnection> connection,
                   std::vector<std::size_t> key)
      : KeyFile(path, std::move(connection), key.size()), key_(std::move(key)) {}

  bool bind_key(const BoundWindow& window, std::size_t i, db::SqliteStatement& statement,
                int first_place) const override;
  RecordNumber first_record(const BoundWindow& window) const override;

  const std::vector<std::size_t> key_;
};

}  // namespace tallyman
