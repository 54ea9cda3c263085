#include "app/serve.h"

#include <cstdio>

#include "app/run_until_signal.h"
#include "app/serve_config.h"
#include "db/sqlite.h"

namespace tallyman {
namespace {

int run_node(const ConfigReading& reading, NodeRole role) {
  if (!reading.mistakes.empty()) {
    std::fputs(to_text(reading.config.file, reading.mistakes).c_str(), stderr);
    return 2;
  }
  db::leave_sqlite_memory_uncounted();
  return run_until_signal(reading.config, role);
}

}  // namespace

int run_serve(const ServeOptions& options) {
  return run_node(read_serve_config(options), NodeRole::kServe);
}

int run_work(const WorkOptions& options) {
  return run_node(read_work_config(options), NodeRole::kWork);
}

}  // namespace tallyman
