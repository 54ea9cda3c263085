// Request and Response: what a handler is given and what it gives back.
//
//   Response hello(Request& request) {
//     if (request.method == "HEAD") return Response::empty(204);
//     return Response::json(200, R"({"hello":true})");
//   }
//
// Bodies are streams both ways: a handler pulls an upload with request.body->read(), and
// gives a long answer as a function that writes into a BodySink. Deadlines and minimum
// rates are the server's: a read or write that takes too long ends with kUnavailable.
//
// Threads: a request and its response belong to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tallyman::http {

// Pulls a body. Blocks.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // Fills at most `into`; 0 is the end of the body. kUnreadable where the framing or the
  // encoding is broken, kUnavailable where the peer is gone or too slow.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
};

// Takes a streamed answer. Blocks.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // kUnavailable where the peer is gone or too slow: stop writing.
  virtual Result<void> write(std::string_view bytes) = 0;
  // Sends what is buffered (server-sent events need it).
  virtual Result<void> flush() = 0;
  // True once the server is to stop: a stream without an end (events) ends itself.
  virtual bool stopping() const = 0;
};

// Header names compare without case; values are as sent, trimmed.
class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // In place of any other.
  std::optional<std::string_view> find(std::string_view name) const;  // The first one.
  std::size_t count(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method;  // "GET", "POST", ...
  std::string path;    // Decoded (RFC 3986), without the query: "/api/users/jobs/". Never
                       // with "..".
  // The query's parameters in order, decoded ("+" is a space).
  std::vector<std::pair<std::string, std::string>> query;
  Headers headers;
  std::string remote_address;                   // "127.0.0.1"
  std::unique_ptr<BodyStream> body;             // Never null; empty where there is none.
  std::optional<std::uint64_t> content_length;  // Absent: chunked, or no body.

  // The first parameter of that name.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;                                    // When `stream` is empty.
  std::function<Result<void>(BodySink& sink)> stream;  // Sent chunked.

  static Response empty(int status);
  static Response json(int status, std::string body);
  static Response text(int status, std::string body);
};

using Handler = std::function<Response(Request&)>;

}  // namespace tallyman::http
