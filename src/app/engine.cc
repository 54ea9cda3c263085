#include "app/engine.h"

#include <unistd.h>

#include <array>
#include <limits>
#include <thread>

#include "api/rest/rest_api.h"
#include "app/backend.h"
#include "base/log.h"
#include "http/server.h"
#include "service/job_service.h"
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
  // On PostgreSQL such a job holds up nobody but its own table, so that only who asks
  // for a limit has one.
  const bool limits_atomic =
      !config.on_postgres() || config.lines.contains("atomic_records_max");
  settings.atomic_records_max = limits_atomic ? config.atomic_records_max
                                              : std::numeric_limits<std::uint64_t>::max();
  settings.expansion_ratio_max = config.expansion_ratio_max;
  settings.record_cells_max = config.record_cells_max;
  settings.delete_keys_max = config.delete_keys_max;
  settings.open_jobs_per_owner_max = config.open_jobs_per_owner_max;
  settings.stored_bytes_per_owner_max = config.stored_bytes_per_owner_max;
  return settings;
}

WorkerSettings worker_settings(const ServerConfig& config, const std::string& name) {
  WorkerSettings settings;
  settings.name = name;
  settings.threads = static_cast<unsigned>(config.workers);
  settings.window_records = config.window_records;
  settings.window_bytes = config.window_bytes;
  settings.general_path = config.general_path;
  settings.record_bytes_max = config.record_bytes_max;
  settings.stored_bytes_per_owner_max = config.stored_bytes_per_owner_max;
  settings.lease_time = config.lease_time;
  // SQLite: for the one writer's turn, in a queue. PostgreSQL: for a lock, with a unit's
  // work done again when it is not had.
  settings.writer_wait =
      config.on_postgres() ? config.writer_wait : config.writer_wait / 5;
  settings.lanes = config.on_postgres() ? static_cast<std::uint32_t>(config.lanes) : 1;
  settings.open_time_max = config.open_time_max;
  settings.results_retention = config.results_retention;
  settings.job_retention = config.job_retention;
  return settings;
}

std::string name_of_node(const ServerConfig& config) {
  if (!config.node.empty()) return config.node;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return std::string(host.data()) + ":" + std::to_string(::getpid());
}

// Makes an administrator's token where the store has none at all.
Result<std::string> first_token(TokenStore& tokens, const Clock& clock) {
  TALLY_TRY_ASSIGN(const auto known, tokens.list());
  if (!known.empty()) return std::string();
  auto made = tokens.create({.name = "admin",
                             .owner = "admin",
                             .scopes = {"*", "admin"},
                             .created_at = clock.now(),
                             .expires_at = std::nullopt});
  // Another node that starts now was first, and has shown it.
  if (!made.ok() && made.error().code == ErrorCode::kConflict) return std::string();
  return made;
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
  Backend backend;
  std::unique_ptr<ResourceCatalog> catalog;
  std::unique_ptr<JobService> service;
  std::unique_ptr<RestApi> api;
  std::unique_ptr<Worker> worker;        // Null: other nodes work.
  std::unique_ptr<http::Server> server;  // Null: other nodes serve.
  std::string name;
  std::string url;
  std::string first_token;

  Result<void> open(const ServerConfig& config);
  void build_api(const ServerConfig& config);
  void start_worker(const ServerConfig& config);
  Result<void> start_server(const ServerConfig& config);
};

Result<void> Engine::Parts::open(const ServerConfig& config) {
  name = name_of_node(config);
  TALLY_TRY_ASSIGN(backend, open_backend(config, clock, random));
  catalog = std::make_unique<ResourceCatalog>(*backend.target, rules_of(config),
                                              config.fields_max);
  TALLY_TRY(catalog->check());
  return backend.jobs->release_all();
}

void Engine::Parts::build_api(const ServerConfig& config) {
  service =
      std::make_unique<JobService>(JobService::Parts{.catalog = *catalog,
                                                     .target = *backend.target,
                                                     .jobs = *backend.jobs,
                                                     .ledger = *backend.ledger,
                                                     .aggregates = *backend.aggregates,
                                                     .payloads = *backend.payloads,
                                                     .clock = clock,
                                                     .random = random},
                                   service_settings(config));
  api = std::make_unique<RestApi>(RestParts{
      .service = *service,
      .tokens = *backend.tokens,
      .clock = clock,
      .database_answers = [this]() -> Result<void> {
        TALLY_TRY(backend.database->begin_read());
        return {};
      },
      .rates = {.requests_per_token = config.requests_per_second_per_token_max,
                .refusals_per_address = config.refusals_per_second_per_address_max}});
}

void Engine::Parts::start_worker(const ServerConfig& config) {
  if (config.workers == 0) return;
  worker = std::make_unique<Worker>(WorkerParts{.database = *backend.database,
                                                .catalog = *catalog,
                                                .target = *backend.target,
                                                .jobs = *backend.jobs,
                                                .ledger = *backend.ledger,
                                                .aggregates = *backend.aggregates,
                                                .payloads = *backend.payloads,
                                                .clock = clock,
                                                .random = random},
                                    worker_settings(config, name));
}

Result<void> Engine::Parts::start_server(const ServerConfig& config) {
  TALLY_TRY_ASSIGN(server, http::Server::start({.address = config.listen.address,
                                                .port = config.listen.port,
                                                .tls = config.tls,
                                                .limits = config.http},
                                               [this](http::Request& request) {
                                                 return api->handle(request);
                                               }));
  url = url_of(config, server->port());
  // Last: a token is shown once, so what can still fail must not come after it.
  TALLY_TRY_ASSIGN(first_token, tallyman::first_token(*backend.tokens, clock));
  return {};
}

Engine::Engine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::start(const ServerConfig& config, NodeRole role) {
  const bool serves = role == NodeRole::kServe;
  if (serves) TALLY_TRY(check_exposure(config));
  auto parts = std::make_unique<Parts>();
  TALLY_TRY(parts->open(config));
  if (serves) parts->build_api(config);
  parts->start_worker(config);
  if (serves) TALLY_TRY(parts->start_server(config));
  return std::unique_ptr<Engine>(new Engine(std::move(parts)));
}

const std::string& Engine::url() const { return parts_->url; }

const std::string& Engine::name() const { return parts_->name; }

const std::string& Engine::first_token() const { return parts_->first_token; }

void Engine::stop(std::chrono::milliseconds grace) {
  if (parts_->service) parts_->service->stop();
  std::thread working([this] {
    if (parts_->worker) parts_->worker->stop();
  });
  if (parts_->server) parts_->server->stop(grace);
  working.join();
}

}  // namespace tallyman
