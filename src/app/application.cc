#include "tallyman/application.h"

#include <algorithm>
#include <stdexcept>

#include "app/config.h"
#include "app/engine.h"
#include "app/run_until_signal.h"

namespace tallyman {

Config::Config(ServerConfig settings)
    : settings_(std::make_unique<ServerConfig>(std::move(settings))) {}

Config::Config(const Config& other)
    : settings_(std::make_unique<ServerConfig>(*other.settings_)) {}

Config& Config::operator=(const Config& other) {
  *settings_ = *other.settings_;
  return *this;
}

Config::~Config() = default;

Config Config::from_file(const std::string& path) {
  ConfigReading reading = read_config_file(path);
  if (!reading.mistakes.empty()) {
    throw std::invalid_argument(to_text(path, reading.mistakes));
  }
  return Config(std::move(reading.config));
}

Config Config::for_database(const std::string& url) {
  ServerConfig settings;
  settings.database = url;
  return Config(std::move(settings));
}

Config& Config::listen(const std::string& address) {
  const auto parsed = parse_listen_address(address);
  if (!parsed) {
    throw std::invalid_argument("listen: '" + address +
                                "' is not address:port, as in 127.0.0.1:8080");
  }
  settings_->listen = *parsed;
  return *this;
}

ResourceSetup& ResourceSetup::table(const std::string& name) {
  rules_.table = name;
  return *this;
}

ResourceSetup& ResourceSetup::operations(const std::vector<std::string>& names) {
  rules_.operations.clear();
  for (const std::string& name : names) {
    const auto operation = operation_from_name(name);
    if (!operation) {
      throw std::invalid_argument("resource '" + rules_.name + "': '" + name +
                                  "' is not an operation; known are insert, upsert, "
                                  "update, replace, delete");
    }
    rules_.operations.insert(*operation);
  }
  return *this;
}

ResourceSetup& ResourceSetup::read_only(const std::vector<std::string>& fields) {
  rules_.read_only.insert(fields.begin(), fields.end());
  return *this;
}

ResourceSetup& ResourceSetup::choices(const std::string& field,
                                      const std::vector<std::string>& values) {
  rules_.fields[field].choices = values;
  return *this;
}

ResourceSetup& ResourceSetup::validate(const std::string& field,
                                       std::function<Verdict(const Value&)> validator) {
  rules_.fields[field].validators.push_back(std::move(validator));
  return *this;
}

ResourceSetup& ResourceSetup::aggregate(const std::string& name,
                                        std::function<Json(JobRows&)> function) {
  rules_.aggregates[name].function = std::move(function);
  return *this;
}

struct Application::Parts {
  ServerConfig config;
  std::unique_ptr<Engine> engine;
};

Application::Application(Config config)
    : parts_(std::make_unique<Parts>(Parts{.config = *config.settings_, .engine = {}})) {}

Application::~Application() { stop(); }

ResourceSetup Application::resource(const std::string& name) {
  auto& resources = parts_->config.resources;
  auto found =
      std::find_if(resources.begin(), resources.end(),
                   [&](const ResourceConfig& one) { return one.rules.name == name; });
  if (found == resources.end()) {
    ResourceConfig added;
    added.rules.name = name;
    added.rules.table = name;
    found = resources.insert(resources.end(), std::move(added));
  }
  return ResourceSetup(found->rules);
}

int Application::run() { return run_until_signal(parts_->config); }

void Application::start() {
  auto engine = Engine::start(parts_->config);
  if (!engine.ok()) throw std::runtime_error(engine.error().message);
  parts_->engine = std::move(engine).value();
}

std::string Application::url() const { return parts_->engine->url(); }

std::string Application::first_token() const { return parts_->engine->first_token(); }

void Application::stop() {
  if (!parts_->engine) return;
  parts_->engine->stop(limits::kDrainTime / 2);
  parts_->engine.reset();
}

}  // namespace tallyman
