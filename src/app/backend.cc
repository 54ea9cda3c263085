#include "app/backend.h"

#include <utility>

#include "db/postgres_database.h"
#include "payload/disk_payload.h"
#include "payload/postgres_payload.h"
#include "payload/postgres_payload_place.h"
#include "payload/postgres_payload_schema.h"
#include "payload/scratch_folder.h"
#include "store/postgres_aggregate_store.h"
#include "store/postgres_job_store.h"
#include "store/postgres_ledger.h"
#include "store/postgres_schema.h"
#include "store/postgres_token_store.h"
#include "store/sqlite_aggregate_store.h"
#include "store/sqlite_job_store.h"
#include "store/sqlite_ledger.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_token_store.h"
#include "target/postgres_target.h"
#include "target/sqlite_target.h"

namespace tallyman {
namespace {

// Large files may come to lie here: /tmp is memory on many machines.
constexpr const char* kScratchFolder = "/var/tmp";
// Beside what the workers hold: requests and chores.
constexpr std::uint64_t kConnectionsBesideWorkers = 16;

Result<std::unique_ptr<PayloadStore>> open_sqlite_payloads(const ServerConfig& config,
                                                           const std::string& path) {
  const std::string folder =
      config.payload_folder.empty() ? path + "-tallyman" : config.payload_folder;
  if (config.scratch_folder.empty()) {
    TALLY_TRY_ASSIGN(auto payloads, DiskPayloadStore::open(folder));
    return std::unique_ptr<PayloadStore>(std::move(payloads));
  }
  TALLY_TRY_ASSIGN(auto scratch, ScratchFolder::make_own(config.scratch_folder));
  TALLY_TRY_ASSIGN(auto payloads,
                   DiskPayloadStore::open_shared(folder, std::move(scratch)));
  return std::unique_ptr<PayloadStore>(std::move(payloads));
}

Result<Backend> open_sqlite(const ServerConfig& config, Clock& clock, Random& random) {
  TALLY_TRY_ASSIGN(const std::string path, db::sqlite_path(config.database));
  TALLY_TRY_ASSIGN(
      auto database,
      db::SqliteDatabase::open(
          {.path = path, .create = false, .writer_wait = config.writer_wait}));
  Backend backend;
  TALLY_TRY_ASSIGN(backend.lock, db::SqliteProcessLock::take(path));
  TALLY_TRY(prepare_sqlite_schema(*database));
  TALLY_TRY_ASSIGN(backend.payloads, open_sqlite_payloads(config, path));
  backend.jobs = std::make_unique<SqliteJobStore>(*database, clock, random,
                                                  OwnerWeights(config.owner_weights));
  backend.ledger = std::make_unique<SqliteLedger>(*database);
  backend.aggregates = std::make_unique<SqliteAggregateStore>(*database);
  backend.tokens = std::make_unique<SqliteTokenStore>(*database, clock, random);
  backend.target = std::make_unique<SqliteTarget>(*database);
  backend.database = std::move(database);
  return backend;
}

Result<void> prepare_postgres(db::Database& database) {
  TALLY_TRY(prepare_postgres_schema(database));
  return prepare_postgres_payload_schema(database);
}

Result<std::unique_ptr<PayloadStore>> open_postgres_payloads(
    const ServerConfig& config, db::PostgresDatabase& database, Random& random) {
  TALLY_TRY_ASSIGN(auto scratch, ScratchFolder::make_own(config.scratch_folder.empty()
                                                             ? kScratchFolder
                                                             : config.scratch_folder));
  if (config.payload_is_in_database()) {
    TALLY_TRY(settle_payload_database(database));
    return std::unique_ptr<PayloadStore>(
        std::make_unique<PostgresPayloadStore>(database, std::move(scratch)));
  }
  TALLY_TRY_ASSIGN(auto payloads, DiskPayloadStore::open_shared(config.payload_folder,
                                                                std::move(scratch)));
  TALLY_TRY(settle_payload_folder(database, config.payload_folder, random));
  return std::unique_ptr<PayloadStore>(std::move(payloads));
}

Result<Backend> open_postgres(const ServerConfig& config, Clock& clock, Random& random) {
  const std::uint64_t connections =
      config.database_connections_max != 0
          ? config.database_connections_max
          : config.database_connections_min() + kConnectionsBesideWorkers;
  TALLY_TRY_ASSIGN(auto database,
                   db::PostgresDatabase::open({.url = config.database,
                                               .writer_wait = config.writer_wait,
                                               .connections_max = connections}));
  TALLY_TRY(prepare_postgres(*database));
  Backend backend;
  TALLY_TRY_ASSIGN(backend.payloads, open_postgres_payloads(config, *database, random));
  backend.jobs = std::make_unique<PostgresJobStore>(
      *database, clock, random,
      PostgresJobStoreOptions{.weights = OwnerWeights(config.owner_weights)});
  backend.ledger = std::make_unique<PostgresLedger>(*database);
  backend.aggregates = std::make_unique<PostgresAggregateStore>(*database);
  backend.tokens = std::make_unique<PostgresTokenStore>(*database, clock, random);
  backend.target = std::make_unique<PostgresTarget>(*database);
  backend.database = std::move(database);
  return backend;
}

}  // namespace

Result<Backend> open_backend(const ServerConfig& config, Clock& clock, Random& random) {
  return config.on_postgres() ? open_postgres(config, clock, random)
                              : open_sqlite(config, clock, random);
}

Result<void> migrate_database(const std::string& url) {
  if (db::is_postgres_url(url)) {
    TALLY_TRY_ASSIGN(const auto database, db::PostgresDatabase::open({.url = url}));
    return prepare_postgres(*database);
  }
  TALLY_TRY_ASSIGN(const std::string path, db::sqlite_path(url));
  TALLY_TRY_ASSIGN(const auto database, db::SqliteDatabase::open({.path = path}));
  return prepare_sqlite_schema(*database);
}

Result<TokenDatabase> open_tokens(const std::string& url, const Clock& clock,
                                  Random& random) {
  if (db::is_postgres_url(url)) {
    TALLY_TRY_ASSIGN(auto database, db::PostgresDatabase::open({.url = url}));
    TALLY_TRY(prepare_postgres_schema(*database));
    auto tokens = std::make_unique<PostgresTokenStore>(*database, clock, random);
    auto target = std::make_unique<PostgresTarget>(*database);
    return TokenDatabase{std::move(database), std::move(tokens), std::move(target)};
  }
  TALLY_TRY_ASSIGN(const std::string path, db::sqlite_path(url));
  TALLY_TRY_ASSIGN(auto database, db::SqliteDatabase::open({.path = path}));
  TALLY_TRY(prepare_sqlite_schema(*database));
  auto tokens = std::make_unique<SqliteTokenStore>(*database, clock, random);
  auto target = std::make_unique<SqliteTarget>(*database);
  return TokenDatabase{std::move(database), std::move(tokens), std::move(target)};
}

}  // namespace tallyman
