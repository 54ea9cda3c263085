// TestServer: a server for tests, on a free port of this machine: what it is asked is
// remembered, what it answers is the test's.
//
//   TestServer server([](http::Request& request, const std::string& body) {
//     return http::Response::json(200, "{}");
//   });
//   Client::make({.url = server.url()});
//
// Threads: the handler runs in the server's threads, one request at a time.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "http/server.h"

namespace tallyman::client {

struct SeenRequest {
  std::string line;   // "PUT /api/people/jobs/.../data/"
  std::string query;  // "a=b&c=d", decoded.
  std::string body;
  http::Headers headers;
};

class TestServer {
 public:
  using Handler =
      std::function<http::Response(http::Request& request, const std::string& body)>;

  explicit TestServer(Handler handler) : handler_(std::move(handler)) {
    set_log_level(LogLevel::kOff);  // Broken connections are what is tested.
    start(0);
  }
  ~TestServer() { stop(); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void stop() { server_.reset(); }
  void start_again() { start(port_); }

  std::vector<SeenRequest> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const SeenRequest& request : seen()) lines.push_back(request.line);
    return lines;
  }

  // An answer whose connection breaks in the middle of its body.
  static http::Response broken_answer(std::string begin = "") {
    http::Response response;
    response.stream = [begin = std::move(begin)](http::BodySink& sink) -> Result<void> {
      TALLY_TRY(sink.write(begin));
      TALLY_TRY(sink.flush());
      return Error{ErrorCode::kUnavailable, "broken on purpose"};
    };
    return response;
  }

 private:
  void start(std::uint16_t port) {
    auto started =
        http::Server::start({.address = "127.0.0.1", .port = port},
                            [this](http::Request& request) { return answer(request); });
    ASSERT_TRUE(started.ok()) << started.error().message;
    server_ = std::move(started).value();
    port_ = server_->port();
  }

  http::Response answer(http::Request& request) {
    const std::lock_guard lock(mutex_);
    SeenRequest seen{request.method + ' ' + request.path, {}, {}, request.headers};
    for (const auto& [key, value] : request.query) {
      seen.query += (seen.query.empty() ? "" : "&") + key + '=' + value;
    }
    std::vector<char> buffer(64 << 10);
    while (true) {
      const auto count = request.body->read(buffer);
      if (!count.ok() || count.value() == 0) break;
      seen.body.append(buffer.data(), count.value());
    }
    seen_.push_back(seen);
    return handler_(request, seen.body);
  }

  Handler handler_;
  mutable std::mutex mutex_;
  std::vector<SeenRequest> seen_;
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
};

}  // namespace tallyman::client
