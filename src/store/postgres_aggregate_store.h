// PostgresAggregateStore: the AggregateStore in a PostgreSQL database.
//
// Ownership: the database must outlive it.
// Threads:   any.
#pragma once

#include "store/aggregate_store.h"

namespace tallyman {

class PostgresAggregateStore final : public AggregateStore {
 public:
  explicit PostgresAggregateStore(db::Database& database) : database_(database) {}

  Result<void> request(JobNumber job,
                       const std::vector<std::pair<std::string, std::string>>&
                           names_and_definitions) override;
  Result<std::vector<StoredAggregate>> find(JobNumber job) override;
  Result<std::vector<StoredAggregate>> next_pending() override;
  Result<void> answer(db::Transaction& transaction,
                      const StoredAggregate& aggregate) override;

 private:
  db::Database& database_;
};

}  // namespace tallyman
