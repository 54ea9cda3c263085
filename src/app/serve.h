// `tallyman serve` and `tallyman work`: a node, until it is told to stop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tallyman {

// Either a file, or a database and the tables to expose. What else is given here comes
// before the file.
struct ServeOptions {
  std::string config_file;  // Empty: none.
  std::string database;
  std::vector<std::string> expose;  // Tables; each becomes a resource of its name.
  std::string listen;               // "127.0.0.1:8080"; empty: as configured.
  bool insecure = false;            // Any address without TLS.
  std::optional<std::uint64_t> workers;
  std::string tls_certificate;  // PEM files.
  std::string tls_key;
  std::string log_level;
};

// Workers alone: what it has of the options has the same meaning.
struct WorkOptions {
  ServeOptions node;
};

// Until SIGTERM or SIGINT. The program's exit code.
int run_serve(const ServeOptions& options);
int run_work(const WorkOptions& options);

}  // namespace tallyman
