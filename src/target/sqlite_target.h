// SqliteTarget: the tables of a SQLite database as a Target.
//
//   SqliteTarget target(*database);
//
// Tables are described anew at each call, in a snapshot of their own.
//
// Ownership: borrows the database.
// Threads:   any.
#pragma once

#include "db/sqlite_database.h"
#include "target/target.h"

namespace tallyman {

class SqliteTarget final : public Target {
 public:
  explicit SqliteTarget(db::SqliteDatabase& database) : database_(database) {}

  Result<void> check_acting(const ActingAs& as) override;
  Result<Resource> introspect(std::string_view table) override;
  Result<std::vector<std::string>> tables() override;
  Result<std::unique_ptr<JobWriter>> make_writer(const Resource& resource,
                                                 const WriteSpec& spec) override;
  Result<std::vector<AggregateResult>> aggregate(db::Transaction& transaction,
                                                 const Resource& resource,
                                                 std::span<const AggregateSpec> specs,
                                                 const RowIdSourceMaker& ids,
                                                 const ActingAs& acting) override;
  Result<Presence> count_present(db::Transaction& transaction, const Resource& resource,
                                 const RowIdSourceMaker& ids,
                                 const ActingAs& acting) override;

 private:
  db::SqliteDatabase& database_;
};

}  // namespace tallyman
