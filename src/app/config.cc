#include "app/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <functional>
#include <sstream>
#include <utility>

#include "app/config_reading.h"
#include "app/config_resources.h"
#include "db/postgres_database.h"

namespace tallyman {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kKiB = 1ULL << 10;
constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::uint64_t kTiB = 1ULL << 40;

template <class Owner, class Value, class Range>
struct Setting {
  std::string_view key;
  Range range;
  Value Owner::*member;
};
using CountSetting = Setting<ServerConfig, std::uint64_t, CountRange>;
using TimeSetting = Setting<ServerConfig, milliseconds, TimeRange>;
using HttpCountSetting = Setting<http::ServerLimits, std::size_t, CountRange>;
using HttpTimeSetting = Setting<http::ServerLimits, milliseconds, TimeRange>;

constexpr auto kCounts = std::to_array<CountSetting>({
    {"workers", {0, 256}, &ServerConfig::workers},
    {"lanes", {1, 64}, &ServerConfig::lanes},
    {"database_connections_max", {1, 10'000}, &ServerConfig::database_connections_max},
    {"window_records", {1, 10'000'000}, &ServerConfig::window_records},
    {"expansion_ratio_max", {1, 100'000}, &ServerConfig::expansion_ratio_max},
    {"atomic_records_max", {1, 1'000'000'000}, &ServerConfig::atomic_records_max},
    {"record_cells_max", {1, limits::kRecordCellsMax}, &ServerConfig::record_cells_max},
    {"fields_max", {1, limits::kFieldsMax}, &ServerConfig::fields_max},
    {"delete_keys_max", {1, 1'000'000'000'000}, &ServerConfig::delete_keys_max},
    {"open_jobs_per_owner_max", {1, 1'000'000}, &ServerConfig::open_jobs_per_owner_max},
    {"requests_per_second_per_token_max",
     {0, 1'000'000},
     &ServerConfig::requests_per_second_per_token_max},
    {"refusals_per_second_per_address_max",
     {0, 1'000'000},
     &ServerConfig::refusals_per_second_per_address_max},
});

constexpr auto kSizes = std::to_array<CountSetting>({
    {"window_bytes", {1, kGiB}, &ServerConfig::window_bytes},
    {"upload_bytes_max", {1, 1'024 * kTiB}, &ServerConfig::upload_bytes_max},
    {"record_bytes_max", {kKiB, 64 * kMiB}, &ServerConfig::record_bytes_max},
    {"stored_bytes_per_owner_max",
     {1, 1'024 * kTiB},
     &ServerConfig::stored_bytes_per_owner_max},
});

constexpr TimeRange kKept{seconds(1), hours(24 * 36'500)};

constexpr auto kTimes = std::to_array<TimeSetting>({
    {"lease_time", {milliseconds(100), hours(1)}, &ServerConfig::lease_time},
    {"writer_wait", {milliseconds(50), hours(1)}, &ServerConfig::writer_wait},
    {"open_time_max", kKept, &ServerConfig::open_time_max},
    {"results_retention", kKept, &ServerConfig::results_retention},
    {"job_retention", kKept, &ServerConfig::job_retention},
});

constexpr CountRange kMany{1, 1'000'000};

constexpr auto kHttpCounts = std::to_array<HttpCountSetting>({
    {"connections_max", kMany, &http::ServerLimits::connections_max},
    {"connections_per_address_max", kMany,
     &http::ServerLimits::connections_per_address_max},
    {"request_threads_max", {1, 32'768}, &http::ServerLimits::request_threads_max},
    {"requests_waiting_max", kMany, &http::ServerLimits::requests_waiting_max},
});

constexpr auto kHttpSizes = std::to_array<HttpCountSetting>({
    {"header_bytes_max", {kKiB, 16 * kMiB}, &http::ServerLimits::header_bytes_max},
    {"transfer_bytes_per_second_min",
     {0, kGiB},
     &http::ServerLimits::transfer_bytes_per_second_min},
    {"drain_bytes_max", {0, kGiB}, &http::ServerLimits::drain_bytes_max},
});

constexpr TimeRange kPatience{milliseconds(100), hours(1)};

constexpr auto kHttpTimes = std::to_array<HttpTimeSetting>({
    {"header_time", kPatience, &http::ServerLimits::header_time},
    {"idle_time", kPatience, &http::ServerLimits::idle_time},
    {"body_idle_time", kPatience, &http::ServerLimits::body_idle_time},
    {"request_wait_time", kPatience, &http::ServerLimits::request_wait_time},
    {"thread_idle_time", kPatience, &http::ServerLimits::thread_idle_time},
    {"stalled_time_under_pressure", kPatience,
     &http::ServerLimits::stalled_time_under_pressure},
});

void note(ServerConfig& config, std::string_view key, int line) {
  if (line != 0) config.lines.insert_or_assign(std::string(key), line);
}

void read_numbers(TableReader& reader, ServerConfig& config) {
  for (const CountSetting& setting : kCounts) {
    note(config, setting.key,
         reader.count(setting.key, setting.range, config.*setting.member));
  }
  for (const CountSetting& setting : kSizes) {
    note(config, setting.key,
         reader.size(setting.key, setting.range, config.*setting.member));
  }
  for (const TimeSetting& setting : kTimes) {
    note(config, setting.key,
         reader.duration(setting.key, setting.range, config.*setting.member));
  }
}

void read_database(TableReader& reader, ServerConfig& config) {
  const int line = reader.text("database", config.database);
  note(config, "database", line);
  if (line == 0) {
    if (reader.ask("database") == nullptr) {
      reader.mistake(1,
                     "database is missing: say where the tables are, as in "
                     "database = \"sqlite:app.db\"");
    }
    return;
  }
  if (!config.database.starts_with("sqlite:") && !config.on_postgres()) {
    reader.mistake(line,
                   "database must begin with sqlite: or postgresql://, as in "
                   "\"sqlite:app.db\"");
  }
}

void read_listen(TableReader& reader, ServerConfig& config) {
  std::string text;
  const int line = reader.text("listen", text);
  if (line == 0) return;
  note(config, "listen", line);
  if (const auto address = parse_listen_address(text)) {
    config.listen = *address;
  } else {
    reader.mistake(line,
                   "listen must be an address and a port, as in \"127.0.0.1:8080\" or "
                   "\"[::1]:8080\"");
  }
}

constexpr std::pair<std::string_view, std::string ServerConfig::*> kTexts[] = {
    {"scratch_folder", &ServerConfig::scratch_folder},
    {"node", &ServerConfig::node},
};

// "database", "disk", or a folder: "disk" in that folder.
void read_payload(TableReader& reader, ServerConfig& config) {
  std::string place;
  const int line = reader.text("payload", place);
  note(config, "payload", line);
  const int folder_line = reader.text("payload_folder", config.payload_folder);
  note(config, "payload_folder", folder_line);
  if (line == 0) {
    if (folder_line != 0) config.payload = PayloadPlace::kDisk;
    return;
  }
  config.payload = place == "database" ? PayloadPlace::kDatabase : PayloadPlace::kDisk;
  if (config.payload == PayloadPlace::kDatabase) {
    if (folder_line != 0) {
      reader.mistake(folder_line, "payload_folder is for payload = \"disk\"");
    }
  } else if (place != "disk") {
    if (folder_line != 0) {
      reader.mistake(line, "payload must be \"disk\" or \"database\"");
    }
    config.payload_folder = place;
  }
}

void read_names(TableReader& reader, ServerConfig& config) {
  read_payload(reader, config);
  for (const auto& [key, member] : kTexts) {
    note(config, key, reader.text(key, config.*member));
  }
  std::string path;
  if (const int line = reader.text("path", path); line != 0) {
    note(config, "path", line);
    config.general_path = path == "general";
    if (path != "auto" && path != "general") {
      reader.mistake(line, "path must be \"auto\" or \"general\"");
    }
  }
  std::string level;
  if (const int line = reader.text("log_level", level); line != 0) {
    note(config, "log_level", line);
    if (const auto known = log_level_from_name(level)) {
      config.log_level = *known;
    } else {
      reader.mistake(
          line,
          "log_level must be \"debug\", \"info\", \"warning\", \"error\" or \"off\"");
    }
  }
}

void read_http(TableReader& top, ServerConfig& config,
               std::vector<ConfigMistake>& mistakes) {
  const ConfigNode* table = top.table("http");
  if (table == nullptr) return;
  TableReader reader(*table, "http", mistakes);
  for (const HttpCountSetting& setting : kHttpCounts) {
    reader.count(setting.key, setting.range, config.http.*setting.member);
  }
  for (const HttpCountSetting& setting : kHttpSizes) {
    reader.size(setting.key, setting.range, config.http.*setting.member);
  }
  for (const HttpTimeSetting& setting : kHttpTimes) {
    reader.duration(setting.key, setting.range, config.http.*setting.member);
  }
  reader.refuse_others();
}

// Owners' names are anything: each key is asked for as it stands.
void read_owner_weights(TableReader& top, ServerConfig& config,
                        std::vector<ConfigMistake>& mistakes) {
  const ConfigNode* table = top.table("owner_weights");
  if (table == nullptr) return;
  TableReader reader(*table, "owner_weights", mistakes);
  for (const ConfigMember& member : table->members) {
    std::uint64_t weight = 1;
    if (reader.count(member.key, {1, limits::kOwnerWeightMax}, weight) != 0) {
      config.owner_weights[member.key] = static_cast<std::uint32_t>(weight);
    }
  }
}

void read_tls(TableReader& top, ServerConfig& config,
              std::vector<ConfigMistake>& mistakes) {
  const ConfigNode* table = top.table("tls");
  if (table == nullptr) return;
  TableReader reader(*table, "tls", mistakes);
  http::TlsFiles files;
  reader.text("certificate", files.certificate_file);
  reader.text("key", files.key_file);
  reader.refuse_others();
  if (table->find("certificate") == nullptr || table->find("key") == nullptr) {
    reader.mistake(table->line, "tls needs both certificate and key (PEM files)");
  }
  config.tls = std::move(files);
}

using Mistake = std::function<void(const char* key, std::string message)>;

void check_postgres(const ServerConfig& config, const Mistake& mistake) {
  if (!config.payload_is_in_database() && config.payload_folder.empty()) {
    mistake("payload",
            "payload = \"disk\" needs payload_folder: a folder that all nodes share");
  }
  if (config.database_connections_max != 0 &&
      config.database_connections_max < config.database_connections_min()) {
    mistake("database_connections_max",
            fmt::format("database_connections_max must be {} or more for workers = {}",
                        config.database_connections_min(), config.workers));
  }
}

// What only several processes can have.
void check_sqlite(const ServerConfig& config, const Mistake& mistake) {
  if (config.payload == PayloadPlace::kDatabase) {
    mistake("payload", "payload = \"database\" needs PostgreSQL");
  }
  if (config.workers == 0) {
    mistake(
        "workers",
        "workers = 0 needs PostgreSQL: on SQLite no other process could run the jobs");
  }
  for (const char* key : {"lanes", "database_connections_max"}) {
    if (config.lines.contains(key)) {
      mistake(key, std::string(key) + " is for PostgreSQL: SQLite has one writer");
    }
  }
}

// Settings that are right by themselves, but not together.
void check_together(TableReader& reader, const ServerConfig& config) {
  const auto line_of = [&](const char* key) {
    const auto found = config.lines.find(key);
    return found == config.lines.end() ? 1 : found->second;
  };
  if (config.job_retention < config.results_retention) {
    reader.mistake(
        std::max(line_of("job_retention"), line_of("results_retention")),
        "job_retention must not be shorter than results_retention: results are "
        "read through their job");
  }
  const auto mistake = [&](const char* key, std::string message) {
    reader.mistake(line_of(key), std::move(message));
  };
  if (config.on_postgres()) check_postgres(config, mistake);
  if (config.database.starts_with("sqlite:")) check_sqlite(config, mistake);
  if (config.resources.empty() && reader.ask("resources") == nullptr) {
    reader.mistake(
        1, "no table is exposed: add at least one [resources.NAME] with its table");
  }
}

}  // namespace

bool ServerConfig::on_postgres() const { return db::is_postgres_url(database); }

bool ServerConfig::payload_is_in_database() const {
  return payload == PayloadPlace::kDatabase ||
         (payload == PayloadPlace::kByDatabase && on_postgres());
}

std::uint64_t ServerConfig::database_connections_min() const {
  // A worker writes a unit while it reads the next window; the rest is for leases, chores
  // and requests.
  return 2 * workers + 4;
}

ConfigReading read_config_text(std::string_view text, std::string file) {
  ConfigReading out;
  out.config.file = std::move(file);
  ConfigText parsed = parse_config_text(text);
  out.mistakes = std::move(parsed.mistakes);
  if (!out.mistakes.empty()) return out;

  TableReader reader(parsed.root, "", out.mistakes);
  read_database(reader, out.config);
  read_listen(reader, out.config);
  read_names(reader, out.config);
  read_numbers(reader, out.config);
  read_http(reader, out.config, out.mistakes);
  read_owner_weights(reader, out.config, out.mistakes);
  read_tls(reader, out.config, out.mistakes);
  reader.each_table("resources", [&](const ConfigMember& member) {
    out.config.resources.push_back(read_resource(member, out.mistakes));
  });
  check_together(reader, out.config);
  reader.refuse_others();
  std::stable_sort(
      out.mistakes.begin(), out.mistakes.end(),
      [](const ConfigMistake& a, const ConfigMistake& b) { return a.line < b.line; });
  return out;
}

ConfigReading read_config_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || file.bad()) {
    ConfigReading out;
    out.config.file = path;
    out.mistakes.push_back(
        {0, "cannot be read; does it exist, and may this user read it?"});
    return out;
  }
  return read_config_text(text.str(), path);
}

std::string to_text(std::string_view file, const std::vector<ConfigMistake>& mistakes) {
  std::string out;
  for (const ConfigMistake& mistake : mistakes) {
    out += mistake.line == 0
               ? fmt::format("{}: {}\n", file, mistake.message)
               : fmt::format("{}:{}: {}\n", file, mistake.line, mistake.message);
  }
  return out;
}

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view address = text.substr(0, colon);
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  if (bracketed) address = address.substr(1, address.size() - 2);
  if (address.empty()) return std::nullopt;
  if (!bracketed && address.find(':') != std::string_view::npos) return std::nullopt;

  const std::string_view port_text = text.substr(colon + 1);
  std::uint16_t port = 0;
  const char* const end = port_text.data() + port_text.size();
  const auto [stop, error] = std::from_chars(port_text.data(), end, port);
  if (error != std::errc() || stop != end) return std::nullopt;
  return ListenAddress{std::string(address), port};
}

std::optional<LogLevel> log_level_from_name(std::string_view text) {
  if (text == "debug") return LogLevel::kDebug;
  if (text == "info") return LogLevel::kInfo;
  if (text == "warning") return LogLevel::kWarning;
  if (text == "error") return LogLevel::kError;
  if (text == "off") return LogLevel::kOff;
  return std::nullopt;
}

}  // namespace tallyman
