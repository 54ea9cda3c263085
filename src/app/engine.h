// Engine: a whole node, built from a configuration. The only place that builds objects
// (those of the database: backend.h).
//
//   TALLY_TRY_ASSIGN(auto engine, Engine::start(config));
//   std::puts(engine->url().c_str());
//   engine->stop(limits::kDrainTime);
//
// Threads: stop() from any thread, once.
// Errors:  kInvalidArgument, kNotFound  the configuration names what is not there
//          kConflict     another process has the database's file open, or its uploads
//                        lie elsewhere (backend.h)
//          kUnavailable  the database or the port
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "app/config.h"
#include "base/result.h"
#include "store/token_store.h"

namespace tallyman {

// kServe: HTTP, and as many workers as configured. kWork: workers alone.
enum class NodeRole : std::uint8_t { kServe, kWork };

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> start(const ServerConfig& config,
                                               NodeRole role = NodeRole::kServe);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // "http://127.0.0.1:8080"; empty where it only works.
  const std::string& url() const;

  // Who it is in leases and history: as configured, or "host:process".
  const std::string& name() const;

  // The secret of an administrator's token that was made because there was none; or
  // empty.
  const std::string& first_token() const;

  // Takes no more requests, lets those under way end, finishes the units under way and
  // hands their jobs on.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Parts;
  explicit Engine(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace tallyman
