#include "app/serve.h"

#include <cstdio>

#include "app/run_until_signal.h"
#include "app/serve_config.h"
#include "db/sqlite.h"

namespace tallyman {

int run_serve(const ServeOptions& options) {
  const ConfigReading reading = read_serve_config(options);
  if (!reading.mistakes.empty()) {
    std::fputs(to_text(reading.config.file, reading.mistakes).c_str(), stderr);
    return 2;
  }
  db::leave_sqlite_memory_uncounted();
  return run_until_signal(reading.config);
}

}  // namespace tallyman
