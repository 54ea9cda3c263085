// PostgresTarget: the tables of a PostgreSQL database as a Target.
//
//   PostgresTarget target(*database);
//
// Tables are described anew at each call, in a snapshot of their own, as the database's
// own role sees them.
//
// Ownership: borrows the database.
// Threads:   any.
#pragma once

#include "db/postgres_database.h"
#include "target/postgres_table.h"
#include "target/target.h"

namespace tallyman {

class PostgresTarget final : public Target {
 public:
  explicit PostgresTarget(db::PostgresDatabase& database) : database_(database) {}

  Result<Resource> introspect(std::string_view table) override;
  Result<std::vector<std::string>> tables() override;
  // In postgres_job_writer.cc.
  Result<std::unique_ptr<JobWriter>> make_writer(const Resource& resource,
                                                 const WriteSpec& spec) override;
  Result<std::vector<AggregateResult>> aggregate(db::Transaction& transaction,
                                                 const Resource& resource,
                                                 std::span<const AggregateSpec> specs,
                                                 const RowIdSourceMaker& ids) override;
  Result<Presence> count_present(db::Transaction& transaction, const Resource& resource,
                                 const RowIdSourceMaker& ids) override;

 private:
  // kConflict: it is not what the resource was made from.
  Result<PostgresTable> read_same_table(const Resource& resource);

  db::PostgresDatabase& database_;
};

}  // namespace tallyman
