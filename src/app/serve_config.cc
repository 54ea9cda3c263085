#include "app/serve_config.h"

#include "app/config_resources.h"

namespace tallyman {
namespace {

void expose(const std::vector<std::string>& tables, ConfigReading& into) {
  for (const std::string& table : tables) {
    if (std::string fault = resource_name_fault(table); !fault.empty()) {
      into.mistakes.push_back({0, "--expose: " + fault});
      continue;
    }
    ResourceConfig resource;
    resource.rules.name = table;
    resource.rules.table = table;
    into.config.resources.push_back(std::move(resource));
  }
}

void override_settings(const ServeOptions& options, ConfigReading& into) {
  ServerConfig& config = into.config;
  const auto mistake = [&](std::string message) {
    into.mistakes.push_back({0, std::move(message)});
  };
  config.insecure = options.insecure;
  if (options.workers) {
    config.workers = *options.workers;
    if (config.workers == 0 && !config.on_postgres()) {
      mistake(
          "--workers 0 needs PostgreSQL: on SQLite no other process could run the "
          "jobs");
    }
    const std::uint64_t connections = config.database_connections_max;
    if (connections != 0 && connections < config.database_connections_min()) {
      mistake("--workers " + std::to_string(config.workers) +
              " needs database_connections_max = " +
              std::to_string(config.database_connections_min()) + " or more");
    }
  }
  if (!options.listen.empty()) {
    if (const auto address = parse_listen_address(options.listen)) {
      config.listen = *address;
    } else {
      mistake("--listen must be an address and a port, as in 127.0.0.1:8080");
    }
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    mistake("--tls-certificate and --tls-key go together");
  } else if (!options.tls_key.empty()) {
    config.tls = http::TlsFiles{options.tls_certificate, options.tls_key};
  }
  if (!options.log_level.empty()) {
    if (const auto level = log_level_from_name(options.log_level)) {
      config.log_level = *level;
    } else {
      mistake("--log-level must be debug, info, warning, error or off");
    }
  }
}

}  // namespace

ConfigReading read_serve_config(const ServeOptions& options) {
  ConfigReading out;
  if (!options.config_file.empty()) {
    out = read_config_file(options.config_file);
  } else {
    out.config.file = "command line";
    out.config.database = options.database;
    expose(options.expose, out);
    if (options.database.empty() || options.expose.empty()) {
      out.mistakes.push_back({0,
                              "say what to serve: --config FILE, or --database URL with "
                              "--expose TABLE"});
    }
  }
  override_settings(options, out);
  return out;
}

ConfigReading read_work_config(const WorkOptions& options) {
  ConfigReading out = read_serve_config(options.node);
  if (!out.config.database.empty() && !out.config.on_postgres()) {
    out.mistakes.push_back({0,
                            "tallyman work needs PostgreSQL: a SQLite database is one "
                            "process's, and tallyman serve runs its jobs itself"});
  }
  if (out.config.workers == 0) {
    out.mistakes.push_back({0, "tallyman work needs at least one worker"});
  }
  return out;
}

}  // namespace tallyman
