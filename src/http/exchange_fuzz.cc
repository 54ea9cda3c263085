// Any bytes as all that a connection sends: heads, bodies with a length or in chunks,
// queries, routes, one request after the other. All of the server but its sockets and
// threads takes part: intake, body, router, answers, what is left unread. Invariants:
//   - wherever the bytes are cut, the same requests are served with the same bodies, and
//     the same is answered;
//   - a body that came whole is as long as its Content-Length says;
//   - a path that the router finds is its pattern, filled in;
//   - after a request that is not clear nothing more is served.
#include "http/exchange.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "http/bodies.h"
#include "http/router.h"

namespace tallyman::http {
namespace {

constexpr std::size_t kInputBytesMax = 64 * 1024;
constexpr std::array<Route, 5> kRoutes{{{"GET", "/"},
                                        {"POST", "/api/{resource}/bulk"},
                                        {"PUT", "/api/{resource}/jobs/{job}/data"},
                                        {"GET", "/api/{resource}/jobs/{job}"},
                                        {"GET", "/api/jobs"}}};

// Gives `bytes` a piece at a time, and then has ended. /dev/null is always ready, so
// nobody waits for it.
class CutTransport final : public Transport {
 public:
  CutTransport(std::string_view bytes, std::size_t piece, std::string& sent)
      : Transport(::open("/dev/null", O_RDWR | O_CLOEXEC)),
        bytes_(bytes),
        piece_(piece),
        sent_(sent) {
    CHECK(descriptor_ >= 0);
  }

  Transferred handshake() override { return {TransferState::kDone}; }
  Transferred read(std::span<char> into) override {
    if (bytes_.empty()) return {TransferState::kClosed};
    const std::size_t count = bytes_.copy(into.data(), std::min(piece_, into.size()));
    bytes_.remove_prefix(count);
    return {TransferState::kDone, count};
  }
  Transferred write(std::string_view bytes) override {
    sent_ += bytes;
    return {TransferState::kDone, bytes.size()};
  }
  bool holds_input() const override { return !bytes_.empty(); }
  void end_writing() override {}

 private:
  std::string_view bytes_;
  const std::size_t piece_;
  std::string& sent_;
};

void check_route(const RouteMatch& match, std::string_view path) {
  if (match.kind != RouteMatch::Kind::kFound) return;
  std::string filled(kRoutes[match.route].pattern);
  for (const auto& [name, value] : match.parameters) {
    CHECK(!value.empty() && value.find('/') == std::string_view::npos);
    const std::string hole = "{" + std::string(name) + "}";
    filled.replace(filled.find(hole), hole.size(), value);
  }
  CHECK(path == filled || path == filled + "/" || filled == "/");
}

struct Conversation {
  std::vector<std::string> requests;
  std::string sent;
  bool operator==(const Conversation&) const = default;
};

// Leaves the body of a path that is not there unread, unless `reads_all`. Answers with a
// text or a stream.
Response handle(Request& request, const Router& router, bool reads_all,
                Conversation& conversation) {
  const RouteMatch match = router.match(request.method, request.path);
  check_route(match, request.path);
  std::string seen = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) seen += "?" + name + "=" + value;
  for (const auto& [name, value] : request.headers.all())
    seen += "\n" + name + ":" + value;
  if (reads_all || match.kind != RouteMatch::Kind::kNotFound) {
    const auto body = read_all(*request.body, kInputBytesMax);
    // As the intake answers it, which sees some of these first.
    if (!body.ok()) return to_response(Fault::bad_request(body.error().message));
    CHECK(!request.content_length || *request.content_length == body.value().size());
    seen += "\n" + body.value();
  }
  conversation.requests.push_back(seen);
  if (request.query.empty()) return Response::json(200, "{}");
  Response response;
  response.status = 200;
  response.stream = [text = request.path](BodySink& sink) { return sink.write(text); };
  return response;
}

// Takes out `begin` and what follows it to the next line end, that included.
void erase_all(std::string& text, std::string_view begin) {
  std::size_t at = 0;
  while ((at = text.find(begin, at)) != std::string::npos) {
    text.erase(at, text.find("\r\n", at + begin.size()) + 2 - at);
  }
}

Conversation converse(std::string_view bytes, std::size_t piece) {
  static const Router router(kRoutes);
  Conversation conversation;
  // Of a longer body the intake looks at the beginning alone, and how much that is
  // depends on the cut: what nobody reads may be broken behind it, and be answered all
  // the same.
  const bool reads_all = bytes.size() >= kFirstBodyBytes;
  const Handler handler = [&](Request& request) {
    return handle(request, router, reads_all, conversation);
  };
  const ServerLimits limits{.header_bytes_max = 1024, .drain_bytes_max = 512};
  const std::atomic<bool> stopping = false;
  const Exchange exchange(handler, limits, stopping, [] { return false; });
  Connection connection(std::make_unique<CutTransport>(bytes, piece, conversation.sent),
                        "127.0.0.1", limits.header_bytes_max);
  After after = After::kKeep;
  while (after == After::kKeep && receive(connection) == Readiness::kReady) {
    after = exchange.serve(connection);
  }
  if (after == After::kKeep && connection.intake.state() == Intake::State::kFault) {
    conversation.sent += to_response_bytes(connection.intake.fault());
  }
  // Sent only where the client still seems to wait; and the clock.
  erase_all(conversation.sent, "HTTP/1.1 100 Continue\r\n");
  erase_all(conversation.sent, "Date: ");
  return conversation;
}

}  // namespace
}  // namespace tallyman::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman::http;
  if (size > kInputBytesMax) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Conversation whole = converse(bytes, kInputBytesMax);
  for (const std::size_t piece : {1, 3, 1000}) CHECK(converse(bytes, piece) == whole);
  return 0;
}
