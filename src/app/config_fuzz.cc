// Any text as a configuration. Invariants:
//   - mistakes come by line, each has a text and a line that the file has;
//   - a configuration without a mistake can be used: it has a database, and every setting
//     is in its range;
//   - a setting that nobody knows is one more mistake, and changes none of the others;
//   - sizes and times that are read lie in their range.
#include "app/config.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "app/quantities.h"
#include "base/check.h"

namespace tallyman {
namespace {

void check_mistakes(const ConfigReading& reading, std::string_view text) {
  const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
  int last = 0;
  for (const ConfigMistake& mistake : reading.mistakes) {
    CHECK(!mistake.message.empty() && mistake.line >= last && mistake.line <= lines);
    last = mistake.line;
  }
  const std::string shown = to_text("f", reading.mistakes);
  CHECK(shown.empty() == reading.mistakes.empty());
}

void check_usable(const ServerConfig& config) {
  CHECK(!config.database.empty());
  CHECK(config.workers > 0 || config.on_postgres());
  CHECK(config.window_records > 0 && config.window_bytes > 0 && config.lanes > 0);
  CHECK(config.record_bytes_max > 0 && config.upload_bytes_max > 0);
  CHECK(config.lease_time.count() > 0 && config.http.header_bytes_max > 0);
  CHECK(config.http.request_threads_max > 0 && config.http.idle_time.count() > 0);
  for (const ResourceConfig& resource : config.resources) CHECK(resource.line > 0);
}

void check_one_more(const ConfigReading& reading, std::string_view text) {
  const auto more = read_config_text("nobody_knows_this = 1\n" + std::string(text), "f");
  if (!reading.mistakes.empty()) {
    CHECK(!more.mistakes.empty());
    return;
  }
  CHECK(more.mistakes.size() == 1 && more.mistakes[0].line == 1);
  CHECK(more.config.database == reading.config.database);
  CHECK(more.config.resources.size() == reading.config.resources.size());
}

void check_quantities(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  if (const auto size = parse_size(line)) {
    CHECK(parse_size(std::to_string(*size)) == size && !show_bytes(*size).empty());
  }
  if (const auto time = parse_duration(line)) {
    CHECK(time->count() >= 0 && *time <= std::chrono::hours(24 * 36'600));
    CHECK(parse_duration(std::to_string(time->count()) + "ms") == time);
  }
}

}  // namespace
}  // namespace tallyman

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_quantities(text);
  const ConfigReading reading = read_config_text(text, "f");
  check_mistakes(reading, text);
  if (reading.mistakes.empty()) check_usable(reading.config);
  check_one_more(reading, text);
  return 0;
}
