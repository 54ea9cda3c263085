// A server with a handler that does, by path, what tests of the server need.
//
// For tests only.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <future>
#include <mutex>
#include <set>
#include <stdexcept>

#include "base/log.h"
#include "http/bodies.h"
#include "http/raw_client.h"
#include "http/server.h"

namespace tallyman::http {

class TestServer {
 public:
  explicit TestServer(ServerOptions options = {}) {
    set_log_level(LogLevel::kOff);
    auto started = Server::start(std::move(options),
                                 [this](Request& request) { return handle(request); });
    CHECK(started.ok());
    server_ = std::move(started).value();
  }

  std::uint16_t port() const { return server_->port(); }
  Server& server() { return *server_; }

  // Requests to /wait have begun: as many as this was called.
  void await_waiting() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > awaited_; });
    ++awaited_;
  }
  // Ends all of them, and those to come.
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  // What went wrong for the stream or body of the last /endless or /echo.
  Error await_problem() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return problem_.has_value(); });
    return *std::exchange(problem_, std::nullopt);
  }

 private:
  Response handle(Request& request) {
    if (request.path == "/hello") return Response::json(200, R"({"hello":true})");
    if (request.path == "/describe") return describe(request);
    if (request.path == "/echo") return echo(request);
    if (request.path == "/ignore") return Response::empty(204);
    if (request.path == "/length") return length(request);
    if (request.path == "/stream") return stream(request);
    if (request.path == "/endless") return endless();
    if (request.path == "/wait") return wait();
    if (request.path == "/throw") throw std::runtime_error("secret value 4711");
    if (request.path == "/throw-other") throw 1;
    return broken_stream(request);
  }

  static Response describe(Request& request) {
    std::string text =
        request.method + " " + request.path + " from " + request.remote_address;
    for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
    if (request.content_length)
      text += " length " + std::to_string(*request.content_length);
    Response response = Response::text(200, text);
    response.headers.add("X-Evil", "a\r\nSet-Cookie: b");
    response.headers.add("Content-Length", "1");
    return response;
  }

  Response echo(Request& request) {
    const auto buffer_bytes = request.parameter("buffer").value_or("4096");
    std::vector<char> buffer(
        std::strtoull(std::string(buffer_bytes).c_str(), nullptr, 10));
    std::string body;
    while (true) {
      const auto count = request.body->read(buffer);
      if (!count.ok()) {
        tell(count.error());
        return Response::text(422, count.error().message);
      }
      if (count.value() == 0) return Response::text(200, body);
      body.append(buffer.data(), count.value());
    }
  }

  Response length(Request& request) {
    std::vector<char> buffer(1 << 20);
    std::uint64_t sum = 0;
    while (true) {
      const auto count = request.body->read(buffer);
      if (!count.ok()) return Response::text(422, count.error().message);
      if (count.value() == 0) return Response::text(200, std::to_string(sum));
      sum += count.value();
    }
  }

  static Response stream(Request& request) {
    Response response;
    response.headers.add("Content-Type", "text/csv");
    const auto pieces =
        std::strtoull(std::string(*request.parameter("pieces")).c_str(), nullptr, 10);
    const auto bytes =
        std::strtoull(std::string(*request.parameter("bytes")).c_str(), nullptr, 10);
    const bool flushes = request.parameter("flush").has_value();
    response.stream = [=](BodySink& sink) -> Result<void> {
      for (std::uint64_t i = 0; i < pieces; ++i) {
        TALLY_TRY(sink.write(std::string(bytes, static_cast<char>('a' + i % 26))));
        if (flushes) TALLY_TRY(sink.flush());
      }
      return {};
    };
    return response;
  }

  Response endless() {
    Response response;
    response.stream = [this](BodySink& sink) -> Result<void> {
      const std::string piece(64 * 1024, 'x');
      while (!sink.stopping()) {
        if (auto written = sink.write(piece); !written.ok()) {
          tell(written.error());
          return written;
        }
      }
      return sink.write("stopped");
    };
    return response;
  }

  Response wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_; });
    return Response::text(200, "waited");
  }

  static Response broken_stream(Request& request) {
    Response response;
    const std::string path = request.path;
    response.stream = [path](BodySink& sink) -> Result<void> {
      if (path == "/throw-in-stream") throw std::runtime_error("secret value 4711");
      TALLY_TRY(sink.write("first"));
      TALLY_TRY(sink.flush());
      if (path == "/throw-late") throw std::runtime_error("secret value 4711");
      return Error{ErrorCode::kInternal, "the disk is gone"};
    };
    return response;
  }

  void tell(const Error& error) {
    const std::lock_guard lock(mutex_);
    problem_ = error;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  int awaited_ = 0;
  bool released_ = false;
  std::optional<Error> problem_;
  // Last, so that it ends before what its handlers use.
  std::unique_ptr<Server> server_;
};

inline std::string get(std::string_view path, std::string_view more = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more) +
         "\r\n";
}

inline std::string put(std::string_view path, std::string_view body,
                       std::string_view more = {}) {
  return "PUT " + std::string(path) +
         " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(more) + "\r\n" + std::string(body);
}

inline std::string put_chunks(std::string_view path, std::string_view chunks) {
  return "PUT " + std::string(path) +
         " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n" +
         std::string(chunks);
}

}  // namespace tallyman::http
