// Backend: a database with all that stands on it: stores, payloads, target. The only
// place that knows which databases there are.
//
//   TALLY_TRY_ASSIGN(Backend backend, open_backend(config, clock, random));
//
// Ownership: clock and random must outlive it. Members end in the opposite order.
// Errors:    kInvalidArgument, kNotFound  the configuration names what is not there, or
//                          the database was made by a newer program
//            kConflict     another process has the SQLite file, or the uploads of the
//                          PostgreSQL database lie elsewhere
//            kUnavailable  the database does not answer
#pragma once

#include <memory>
#include <string>

#include "app/config.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "db/database.h"
#include "db/sqlite_database.h"
#include "payload/payload.h"
#include "store/aggregate_store.h"
#include "store/job_store.h"
#include "store/ledger.h"
#include "store/token_store.h"
#include "target/target.h"

namespace tallyman {

struct Backend {
  std::unique_ptr<db::SqliteProcessLock> lock;  // Null on PostgreSQL.
  std::unique_ptr<db::Database> database;
  std::unique_ptr<PayloadStore> payloads;
  std::unique_ptr<JobStore> jobs;
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<AggregateStore> aggregates;
  std::unique_ptr<TokenStore> tokens;
  std::unique_ptr<Target> target;
};

// Makes the tables of ours where they are missing, as migrate_database() does.
Result<Backend> open_backend(const ServerConfig& config, Clock& clock, Random& random);

// Makes the tables of ours, or brings those of an older program up to this one.
Result<void> migrate_database(const std::string& url);

// Of a database that a server may be running on.
struct TokenDatabase {
  std::unique_ptr<db::Database> database;
  std::unique_ptr<TokenStore> tokens;
  std::unique_ptr<Target> target;  // Knows whether there is a role to act as.
};
Result<TokenDatabase> open_tokens(const std::string& url, const Clock& clock,
                                  Random& random);

}  // namespace tallyman
