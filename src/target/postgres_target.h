// PostgresTarget: the tables of a PostgreSQL database. See target/target.h.
//
// Ownership: the database must outlive it.
// Threads:   any.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "target/target.h"

namespace tallyman {

class PostgresTarget final : public Target {
 public:
  // REQUIRES: a PostgresDatabase.
  explicit PostgresTarget(db::Database& database) : database_(database) {}

  Result<Resource> introspect(std::string_view table) override;
  Result<std::vector<std::string>> tables() override;
  Result<std::unique_ptr<JobWriter>> make_writer(const Resource& resource,
                                                 const WriteSpec& spec) override;
  Result<std::vector<AggregateResult>> aggregate(db::Transaction& transaction,
                                                 const Resource& resource,
                                                 std::span<const AggregateSpec> specs,
                                                 const RowIdSourceMaker& ids) override;
  Result<Presence> count_present(db::Transaction& transaction, const Resource& resource,
                                 const RowIdSourceMaker& ids) override;

 private:
  db::Database& database_;
};

}  // namespace tallyman
