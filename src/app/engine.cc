#include "app/engine.h"

#include <thread>

#include "api/rest/rest_api.h"
#include "base/log.h"
#include "db/sqlite_database.h"
#include "http/server.h"
#include "payload/disk_payload.h"
#include "service/job_service.h"
#include "store/sqlite_aggregate_store.h"
#include "store/sqlite_job_store.h"
#include "store/sqlite_ledger.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_token_store.h"
#include "target/sqlite_target.h"
#include "worker/worker.h"

namespace tallyman {
namespace {

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

Result<void> check_exposure(const ServerConfig& config) {
  if (is_loopback(config.listen.address) || config.tls || config.insecure) return {};
  return Error{ErrorCode::kInvalidArgument,
               "listening on " + config.listen.address +
                   " without TLS would send tokens and records in the clear; give a "
                   "certificate and a key, listen on 127.0.0.1, or say --insecure"};
}

std::vector<ResourceRules> rules_of(const ServerConfig& config) {
  std::vector<ResourceRules> rules;
  for (const ResourceConfig& resource : config.resources) rules.push_back(resource.rules);
  return rules;
}

ServiceSettings service_settings(const ServerConfig& config) {
  ServiceSettings settings;
  settings.upload_bytes_max = config.upload_bytes_max;
  settings.record_bytes_max = config.record_bytes_max;
  settings.atomic_records_max = config.atomic_records_max;
  settings.expansion_ratio_max = config.expansion_ratio_max;
  settings.record_cells_max = config.record_cells_max;
  settings.delete_keys_max = config.delete_keys_max;
  settings.open_jobs_per_owner_max = config.open_jobs_per_owner_max;
  settings.stored_bytes_per_owner_max = config.stored_bytes_per_owner_max;
  return settings;
}

WorkerSettings worker_settings(const ServerConfig& config) {
  WorkerSettings settings;
  settings.threads = static_cast<unsigned>(config.workers);
  settings.window_records = config.window_records;
  settings.window_bytes = config.window_bytes;
  settings.general_path = config.general_path;
  settings.record_bytes_max = config.record_bytes_max;
  settings.stored_bytes_per_owner_max = config.stored_bytes_per_owner_max;
  settings.lease_time = config.lease_time;
  settings.writer_wait = config.writer_wait / 5;
  settings.open_time_max = config.open_time_max;
  settings.results_retention = config.results_retention;
  settings.job_retention = config.job_retention;
  return settings;
}

// Makes an administrator's token where the store has none at all.
Result<std::string> first_token(TokenStore& tokens, const Clock& clock) {
  TALLY_TRY_ASSIGN(const auto known, tokens.list());
  if (!known.empty()) return std::string();
  return tokens.create({.name = "admin",
                        .owner = "admin",
                        .scopes = {"*", "admin"},
                        .created_at = clock.now(),
                        .expires_at = std::nullopt});
}

std::string url_of(const ServerConfig& config, std::uint16_t port) {
  const bool v6 = config.listen.address.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + config.listen.address + "]" : config.listen.address;
  return (config.tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

}  // namespace

// Members are built from the ground up and end in the opposite order.
struct Engine::Parts {
  SystemClock clock;
  SystemRandom random;
  std::unique_ptr<db::SqliteProcessLock> lock;
  std::unique_ptr<db::SqliteDatabase> database;
  std::unique_ptr<DiskPayloadStore> payloads;
  std::unique_ptr<SqliteJobStore> jobs;
  std::unique_ptr<SqliteLedger> ledger;
  std::unique_ptr<SqliteAggregateStore> aggregates;
  std::unique_ptr<SqliteTokenStore> tokens;
  std::unique_ptr<SqliteTarget> target;
  std::unique_ptr<ResourceCatalog> catalog;
  std::unique_ptr<JobService> service;
  std::unique_ptr<RestApi> api;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<http::Server> server;
  std::string url;
  std::string first_token;

  Result<void> open_database(const ServerConfig& config);
  Result<void> build_layers(const ServerConfig& config);
  Result<void> start(const ServerConfig& config);
};

Result<void> Engine::Parts::open_database(const ServerConfig& config) {
  TALLY_TRY_ASSIGN(const std::string path, db::sqlite_path(config.database));
  TALLY_TRY_ASSIGN(
      database, db::SqliteDatabase::open(
                    {.path = path, .create = false, .writer_wait = config.writer_wait}));
  TALLY_TRY_ASSIGN(lock, db::SqliteProcessLock::take(path));
  TALLY_TRY(prepare_sqlite_schema(*database));
  const std::string folder = config.payload.empty() ? path + "-tallyman" : config.payload;
  TALLY_TRY_ASSIGN(payloads, DiskPayloadStore::open(folder));
  return {};
}

Result<void> Engine::Parts::build_layers(const ServerConfig& config) {
  jobs = std::make_unique<SqliteJobStore>(*database, clock, random);
  ledger = std::make_unique<SqliteLedger>(*database);
  aggregates = std::make_unique<SqliteAggregateStore>(*database);
  tokens = std::make_unique<SqliteTokenStore>(*database, clock, random);
  target = std::make_unique<SqliteTarget>(*database);
  catalog =
      std::make_unique<ResourceCatalog>(*target, rules_of(config), config.fields_max);
  TALLY_TRY(catalog->check());

  service = std::make_unique<JobService>(JobService::Parts{.catalog = *catalog,
                                                           .target = *target,
                                                           .jobs = *jobs,
                                                           .ledger = *ledger,
                                                           .aggregates = *aggregates,
                                                           .payloads = *payloads,
                                                           .clock = clock,
                                                           .random = random},
                                         service_settings(config));
  api = std::make_unique<RestApi>(RestParts{
      .service = *service,
      .tokens = *tokens,
      .clock = clock,
      .database_answers = [this]() -> Result<void> {
        TALLY_TRY(database->begin_read());
        return {};
      },
      .rates = {.requests_per_token = config.requests_per_second_per_token_max,
                .refusals_per_address = config.refusals_per_second_per_address_max}});
  return {};
}

Result<void> Engine::Parts::start(const ServerConfig& config) {
  TALLY_TRY(jobs->release_all());
  worker = std::make_unique<Worker>(WorkerParts{.database = *database,
                                                .catalog = *catalog,
                                                .target = *target,
                                                .jobs = *jobs,
                                                .ledger = *ledger,
                                                .aggregates = *aggregates,
                                                .payloads = *payloads,
                                                .clock = clock,
                                                .random = random},
                                    worker_settings(config));
  TALLY_TRY_ASSIGN(server, http::Server::start({.address = config.listen.address,
                                                .port = config.listen.port,
                                                .tls = config.tls,
                                                .limits = config.http},
                                               [this](http::Request& request) {
                                                 return api->handle(request);
                                               }));
  url = url_of(config, server->port());
  // Last: a token is shown once, so what can still fail must not come after it.
  TALLY_TRY_ASSIGN(first_token, tallyman::first_token(*tokens, clock));
  return {};
}

Engine::Engine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::start(const ServerConfig& config) {
  TALLY_TRY(check_exposure(config));
  auto parts = std::make_unique<Parts>();
  TALLY_TRY(parts->open_database(config));
  TALLY_TRY(parts->build_layers(config));
  TALLY_TRY(parts->start(config));
  return std::unique_ptr<Engine>(new Engine(std::move(parts)));
}

const std::string& Engine::url() const { return parts_->url; }

const std::string& Engine::first_token() const { return parts_->first_token; }

void Engine::stop(std::chrono::milliseconds grace) {
  parts_->service->stop();
  std::thread worker([this] { parts_->worker->stop(); });
  parts_->server->stop(grace);
  worker.join();
}

}  // namespace tallyman
