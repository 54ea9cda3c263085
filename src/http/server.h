// Server: HTTP/1.1 over TCP or TLS, thin. Calls one handler for every request.
//
//   auto server = Server::start({.address = "127.0.0.1", .port = 8080}, handler);
//   if (!server.ok()) ...
//   server.value()->port();
//   server.value()->stop(std::chrono::seconds(10));
//
// Connections that wait cost no thread: one poller holds them all, and a request gets a
// thread when its head and the beginning of its body are there. Bodies are streams both
// ways. Keep-alive, pipelining, HEAD (the handler answers as to GET, the body is not
// sent), "Expect: 100-continue" (sent when the handler first reads) and HTTP/1.0 are the
// server's. What is not one clear request is refused: 400 with {"error": ..., "code":
// "BAD_REQUEST"}.
//
// Ownership: the server owns the handler; what it refers to has to outlive stop().
// Threads: the handler is called from many at once. stop() from any thread but a
// handler's. Memory: bounded by ServerLimits. Errors: an exception of the handler is
// answered 500.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "http/limits.h"
#include "http/message.h"

namespace tallyman::http {

// PEM files: the certificate with its chain, and its key.
struct TlsFiles {
  std::string certificate_file;
  std::string key_file;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;       // 0: any free one.
  std::optional<TlsFiles> tls;  // TLS 1.2 or later; without it plain HTTP.
  ServerLimits limits;
};

class Server {
 public:
  // Listening when it returns. kInvalidArgument (address, certificate, key) or
  // kUnavailable (the port is taken), naming it.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // stop(0)

  std::uint16_t port() const;
  // Open connections, and requests under way or waiting for a thread.
  std::size_t connections() const;
  std::size_t requests_under_way() const;

  // Accepts nobody more, makes BodySink::stopping() true, and lets the requests under way
  // end within `grace`; those that have not are cut. Returns when every handler has
  // returned: one that waits for something else than its peer is waited for. A second
  // call is idle.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace tallyman::http
