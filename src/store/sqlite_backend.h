// SqliteBackend: the stores over a temporary SQLite file, for conformance tests.
#pragma once

#include <memory>

#include "db/test_database.h"
#include "store/sqlite_aggregate_store.h"
#include "store/sqlite_job_store.h"
#include "store/sqlite_ledger.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_token_store.h"
#include "store/store_backend.h"

namespace tallyman {

class SqliteBackend final : public StoreBackend {
 public:
  SqliteBackend() { start(); }

  JobStore& jobs() override { return stores_->jobs; }
  Ledger& ledger() override { return stores_->ledger; }
  TokenStore& tokens() override { return stores_->tokens; }
  AggregateStore& aggregates() override { return stores_->aggregates; }
  db::Database& database() override { return *database_; }
  void restart() override {
    stores_.reset();
    database_.reopen();
    start();
  }

 private:
  struct Stores {
    Stores(db::Database& database, const Clock& clock, Random& random,
           const OwnerWeights& weights)
        : jobs(database, clock, random, weights),
          ledger(database),
          tokens(database, clock, random),
          aggregates(database) {}
    SqliteJobStore jobs;
    SqliteLedger ledger;
    SqliteTokenStore tokens;
    SqliteAggregateStore aggregates;
  };

  void start() {
    CHECK(prepare_sqlite_schema(*database_).ok());
    stores_ = std::make_unique<Stores>(*database_, clock, random, weights);
  }

  db::TemporaryDatabase database_;
  std::unique_ptr<Stores> stores_;
};

}  // namespace tallyman
