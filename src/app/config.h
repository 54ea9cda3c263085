// ServerConfig: what the server is told to be, by a file or by the command line.
//
//   const ConfigReading reading = read_config_file("tallyman.toml");
//   if (!reading.mistakes.empty()) ...   // all of them, with their lines
//   serve(reading.config);
//
// Every setting has the default of model/limits.h and http/limits.h. Paths are taken from
// the folder that the program is started in.
//
// Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_node.h"
#include "base/log.h"
#include "http/limits.h"
#include "http/server.h"
#include "model/limits.h"
#include "target/resource_catalog.h"

namespace tallyman {

struct ListenAddress {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one.
};

// A place where a resource's settings name a field of its table.
struct FieldMention {
  std::string field;
  int line = 0;
  std::string setting;  // "only", "fields.amount.choices" ...
};

// A resource as it is configured, and where.
struct ResourceConfig {
  ResourceRules rules;
  int line = 0;
  int table_line = 0;
  std::vector<FieldMention> mentions;
};

enum class PayloadPlace : std::uint8_t {
  kByDatabase,  // PostgreSQL: in it; SQLite: on disk.
  kDisk,
  kDatabase,
};

struct ServerConfig {
  std::string file;  // Empty: none was read.

  std::string database;  // "sqlite:app.db", "postgresql://app@host/database"
  ListenAddress listen;
  bool insecure = false;  // Any address without TLS. Only by the command line.
  PayloadPlace payload = PayloadPlace::kByDatabase;  // Where uploads lie.
  std::string payload_folder;  // Empty: beside the file of a SQLite database.
  std::string scratch_folder;  // Empty: with the uploads, or /var/tmp.
  std::string node;            // In leases and history; empty: host:process.
  std::uint64_t workers = 2;   // Threads that run jobs. 0: other nodes run them.
  std::uint64_t lanes = 2;     // Threads that may run one job at once (PostgreSQL).
  std::uint64_t database_connections_max = 0;  // 0: enough for the workers.
  LogLevel log_level = LogLevel::kInfo;

  // How work is cut, and by which path it is written.
  std::uint64_t window_records = limits::kWindowRecords;
  std::uint64_t window_bytes = limits::kWindowBytes;
  bool general_path = false;  // path = "general": never take a faster one.
  std::chrono::milliseconds lease_time = limits::kLeaseTime;
  std::chrono::milliseconds writer_wait = limits::kWriterWait;

  // How long things are kept.
  std::chrono::milliseconds open_time_max = limits::kOpenTimeMax;
  std::chrono::milliseconds results_retention = limits::kResultsRetention;
  std::chrono::milliseconds job_retention = limits::kJobRetention;

  // What is read.
  std::uint64_t upload_bytes_max = limits::kUploadBytesMax;
  std::uint64_t record_bytes_max = limits::kRecordBytesMax;
  std::uint64_t expansion_ratio_max = limits::kExpansionRatioMax;
  std::uint64_t atomic_records_max = limits::kAtomicRecordsMax;
  std::uint64_t record_cells_max = limits::kRecordCellsMax;
  std::uint64_t fields_max = limits::kFieldsMax;
  std::uint64_t delete_keys_max = limits::kDeleteKeysMax;

  // What one client may have. 0 requests a second: any number.
  std::uint64_t open_jobs_per_owner_max = limits::kOpenJobsPerOwnerMax;
  std::uint64_t stored_bytes_per_owner_max = limits::kStoredBytesPerOwnerMax;
  std::uint64_t requests_per_second_per_token_max = limits::kRequestsPerSecondPerTokenMax;
  std::uint64_t refusals_per_second_per_address_max =
      limits::kRefusalsPerSecondPerAddressMax;

  // [owner_weights]: how many times the part of others an owner gets of the work.
  std::map<std::string, std::uint32_t, std::less<>> owner_weights;

  http::ServerLimits http;            // [http]
  std::optional<http::TlsFiles> tls;  // [tls]

  std::vector<ResourceConfig> resources;  // By line.
  std::map<std::string, int> lines;       // Of the settings that were given: "database".

  bool on_postgres() const;
  bool payload_is_in_database() const;
  // Connections that the workers may hold at once, and some for what else there is.
  std::uint64_t database_connections_min() const;
};

struct ConfigReading {
  ServerConfig config;
  std::vector<ConfigMistake> mistakes;  // By line. Not empty: do not use the config.
};

// A file that cannot be read is a mistake at line 0.
ConfigReading read_config_file(const std::string& path);
// `file` is what messages call it.
ConfigReading read_config_text(std::string_view text, std::string file);

// "tallyman.toml:12: ...", a line each.
std::string to_text(std::string_view file, const std::vector<ConfigMistake>& mistakes);

// "127.0.0.1:8080", "[::1]:8080"
std::optional<ListenAddress> parse_listen_address(std::string_view text);

// "debug", "info", "warning", "error" or "off".
std::optional<LogLevel> log_level_from_name(std::string_view text);

}  // namespace tallyman
