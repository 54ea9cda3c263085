// Config: what a server is told to be.
//
//   auto config = tallyman::Config::from_file("tallyman.toml");
//
//   auto config = tallyman::Config::for_database("sqlite:app.db").listen("127.0.0.1:0");
//
// Plain value. Errors: std::invalid_argument with every mistake, its file and line.
#pragma once

#include <memory>
#include <string>

namespace tallyman {

struct ServerConfig;

class Config {
 public:
  // Throws std::invalid_argument that lists every mistake in the file.
  static Config from_file(const std::string& path);

  // Defaults for everything else. `url`: "sqlite:app.db". No resource is exposed yet.
  static Config for_database(const std::string& url);

  // "address:port"; port 0 takes a free one. Default: 127.0.0.1:8080.
  Config& listen(const std::string& address);

  Config(const Config& other);
  Config& operator=(const Config& other);
  ~Config();

 private:
  friend class Application;
  explicit Config(ServerConfig settings);

  std::unique_ptr<ServerConfig> settings_;
};

}  // namespace tallyman
