// PostgresBackend: the stores over a database of their own on a private server, for
// conformance tests. Leases are measured by the test's clock, too.
#pragma once

#include <memory>

#include "db/test_postgres.h"
#include "store/postgres_aggregate_store.h"
#include "store/postgres_job_store.h"
#include "store/postgres_ledger.h"
#include "store/postgres_schema.h"
#include "store/postgres_token_store.h"
#include "store/store_backend.h"

namespace tallyman {

class PostgresBackend final : public StoreBackend {
 public:
  // The stores of one node.
  struct Stores {
    Stores(db::PostgresDatabase& database, const Clock& clock, Random& random,
           const OwnerWeights& weights = {})
        : jobs(database, clock, random,
               {.lease_clock = [&clock] { return sql(clock); }, .weights = weights}),
          ledger(database),
          tokens(database, clock, random),
          aggregates(database) {}
    PostgresJobStore jobs;
    PostgresLedger ledger;
    PostgresTokenStore tokens;
    PostgresAggregateStore aggregates;
  };

  explicit PostgresBackend(db::PostgresOptions options = {})
      : database_(std::move(options)) {
    start();
  }

  JobStore& jobs() override { return stores_->jobs; }
  Ledger& ledger() override { return stores_->ledger; }
  TokenStore& tokens() override { return stores_->tokens; }
  AggregateStore& aggregates() override { return stores_->aggregates; }
  db::Database& database() override { return *database_; }
  db::TemporaryPostgres& temporary() { return database_; }
  void restart() override {
    stores_.reset();
    database_.reopen();
    start();
  }
  // Of another node: it has sessions of its own.
  std::unique_ptr<db::PostgresDatabase> another_nodes_database() {
    auto opened = db::PostgresDatabase::open({.url = database_.url()});
    CHECK(opened.ok());
    return std::move(opened).value();
  }
  // The database and this must outlive it.
  std::unique_ptr<Stores> another_node(db::PostgresDatabase& database) {
    return std::make_unique<Stores>(database, clock, random);
  }

 private:
  static std::string sql(const Clock& clock) {
    return "(timestamptz 'epoch' + " + std::to_string(to_micros(clock.now())) +
           " * interval '1 microsecond')";
  }
  void start() {
    CHECK(prepare_postgres_schema(*database_).ok());
    stores_ = std::make_unique<Stores>(*database_, clock, random, weights);
  }

  db::TemporaryPostgres database_;
  std::unique_ptr<Stores> stores_;
};

}  // namespace tallyman
