// PostgresTarget: the tables of a PostgreSQL database. See target/target.h.
//
// What the catalogue says of a table is kept as long as its stamp is the same
// (read_postgres_stamp()); that is asked for again when it is older than kFresh, because
// a job looks at its table many times in a row.
//
// Ownership: the database must outlive it.
// Threads:   any.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "target/postgres_table.h"
#include "target/target.h"

namespace tallyman {

class PostgresTarget final : public Target {
 public:
  // REQUIRES: a PostgresDatabase.
  explicit PostgresTarget(db::Database& database) : database_(database) {}

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
  using Instant = std::chrono::steady_clock::time_point;
  struct Known {
    std::shared_ptr<const PostgresTable> table;
    Instant read_at;
  };
  using Described = Result<std::shared_ptr<const PostgresTable>>;
  static constexpr std::chrono::milliseconds kFresh{50};

  Described describe(std::string_view table);
  Described look_at(db::PostgresConnection& connection, std::string_view table);
  Described describe(db::Transaction& transaction, std::string_view table);
  // The table as the role sees it.
  Result<PostgresTable> describe_for(const ActingAs& as, const PostgresTable& table);
  std::shared_ptr<const PostgresTable> known(std::string_view table,
                                             std::optional<Instant> since);
  void remember(std::string_view table, std::shared_ptr<const PostgresTable> described);

  db::Database& database_;
  std::mutex mutex_;
  std::map<std::string, Known, std::less<>> tables_;  // By mutex_, by the name asked for.
};

}  // namespace tallyman
