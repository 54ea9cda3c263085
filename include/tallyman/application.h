// Application: a Tallyman server inside a C++ program, with validators and aggregate
// functions of its own.
//
//   tallyman::Application app(tallyman::Config::from_file("tallyman.toml"));
//   app.resource("transactions")
//       .validate("amount", [](const tallyman::Value& value) { ... })
//       .aggregate("largest", [](tallyman::JobRows& rows) -> tallyman::Json { ... });
//   return app.run();
//
// Link with find_package(tallyman) and tallyman::tallyman.
//
// Threads: set up and start from one thread; stop() from any. Validators are called from
//          several threads at once, aggregate functions from one at a time each.
// Errors:  std::invalid_argument for what the program says wrongly, std::runtime_error
// for
//          what cannot be started; the text names the thing and the next step.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tallyman/config.h"
#include "tallyman/job_rows.h"
#include "tallyman/json.h"
#include "tallyman/value.h"

namespace tallyman {

struct ResourceRules;

// A resource as the program sets it up. Refers to the Application: use it up at once.
class ResourceSetup {
 public:
  // The table behind it; by default the one of the same name.
  ResourceSetup& table(const std::string& name);
  // "insert", "upsert", "update", "replace", "delete"; by default all of them.
  ResourceSetup& operations(const std::vector<std::string>& names);
  // Fields that jobs may not write.
  ResourceSetup& read_only(const std::vector<std::string>& fields);
  // The only values that a field may have.
  ResourceSetup& choices(const std::string& field,
                         const std::vector<std::string>& values);

  // Asked for every value of the field but NULL, after its type was checked. What it
  // rejects is a failed record: VALIDATION_FAILED with the rule that it gives. An
  // exception rejects too.
  ResourceSetup& validate(const std::string& field,
                          std::function<Verdict(const Value&)> validator);

  // Offered under `name` as {"type": "custom", "function": name}. An exception makes that
  // one aggregate fail, with its text.
  ResourceSetup& aggregate(const std::string& name,
                           std::function<Json(JobRows&)> function);

 private:
  friend class Application;
  explicit ResourceSetup(ResourceRules& rules) : rules_(rules) {}

  ResourceRules& rules_;
};

class Application {
 public:
  explicit Application(Config config);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // A resource of the configuration, or a new one.
  ResourceSetup resource(const std::string& name);

  // Serves until SIGTERM or SIGINT; returns the program's exit code. Says on standard
  // output where it listens.
  int run();

  // The same in the background, for a program that has its own main loop.
  void start();
  std::string url() const;          // REQUIRES: started.
  std::string first_token() const;  // Empty unless the database had no token before.
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tallyman
