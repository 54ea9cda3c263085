// Transport: one HTTP request and its answer, over libcurl.
//
//   Transport transport(options);
//   const Reply reply = transport.send({.method = "GET", .path = "/healthz"});
//   if (reply.status == 0) ...  // nothing came: reply.trouble says why
//
// Says what happened and decides nothing: what is tried again is the client's business.
//
// Ownership: one connection, kept open between requests.
// Threads:   one at a time.
// Memory:    an answer's text (at most kAnswerBytesMax), unless it goes to a sink.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/upload_source.h"

namespace tallyman::client {

// An answer that is held in memory: a status, a page of jobs, a schema.
inline constexpr std::size_t kAnswerBytesMax = 64 << 20;

struct TransportOptions {
  std::string url;      // "https://bulk.example.org:8443", without a path.
  std::string token;    // Empty: none is sent.
  std::string ca_file;  // PEM; empty: the system's.
  std::chrono::seconds connect_time_max{10};
  std::chrono::seconds silence_max{120};  // Without a byte either way.
};

// Takes an answer's bytes as they come; an error ends the request with that error.
using BytesSink = std::function<Result<void>(std::string_view bytes)>;
// Bytes of the body sent so far.
using SentWatcher = std::function<void(std::uint64_t bytes)>;

struct Call {
  std::string method;
  std::string path;  // With its query: "/api/people/jobs/?limit=10".
  std::vector<std::string> headers = {};
  std::string body = {};            // Used where `source` is null.
  UploadSource* source = nullptr;   // The body: its prepared part ...
  std::uint64_t source_offset = 0;  // ... which starts here ...
  std::uint64_t source_length = 0;  // ... and has so many bytes.
  const BytesSink* sink = nullptr;  // Takes the body of a 2xx answer.
  const SentWatcher* sent = nullptr;
};

struct Reply {
  int status = 0;                                            // 0: no whole answer came.
  std::vector<std::pair<std::string, std::string>> headers;  // Names in lower case.
  std::string body;
  std::optional<Error> trouble;  // Where status is 0.
  bool never_sent = false;  // There was no connection: the server knows nothing of it.
  bool sink_began = false;  // The sink has had bytes.

  std::optional<std::string_view> header(std::string_view lower_case_name) const;
  bool succeeded() const { return status >= 200 && status < 300; }
};

class Transport {
 public:
  // kInvalidArgument for a URL that is not http:// or https://.
  static Result<std::unique_ptr<Transport>> make(TransportOptions options);
  virtual ~Transport() = default;

  virtual Reply send(const Call& call) = 0;
};

// `text` with all but letters, digits and -._~ as %XX (RFC 3986, section 2.3).
std::string percent_encoded(std::string_view text);

}  // namespace tallyman::client
