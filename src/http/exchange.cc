#include "http/exchange.h"

#include <poll.h>

#include "base/log.h"
#include "http/exception_name.h"
#include "http/incoming_body.h"
#include "http/outgoing_response.h"

namespace tallyman::http {

// The request under way, as far as its answer depends on it.
struct Asked {
  bool head_request;
  bool http_1_1;
  bool keep_alive;
  const std::string& label;  // For the log: method and path.
  Channel& channel;
  IncomingBody& body;
};

namespace {

// After an answer the thread stays this long: a client that asks one thing after the
// other is then served without a change of threads.
constexpr int kNearMilliseconds = 5;

// What the handler owns; it may outlive neither the request nor its thread, but it may be
// moved and dropped early.
class BodyHandle final : public BodyStream {
 public:
  explicit BodyHandle(IncomingBody& body) : body_(body) {}
  Result<std::size_t> read(std::span<char> into) override { return body_.read(into); }

 private:
  IncomingBody& body_;
};

}  // namespace

After Exchange::serve(Connection& connection) const {
  try {
    return serve_all(connection);
  } catch (...) {
    log_error("request_failed", {{"exception", current_exception_name()}});
    connection.transport->reset_on_close();
    return After::kClose;
  }
}

After Exchange::serve_all(Connection& connection) const {
  while (true) {
    const After after = serve_one(connection);
    if (after != After::kKeep) return after;
    if (stopping_.load(std::memory_order_relaxed)) return After::kEnd;
    if (is_crowded_() || !next_is_near(connection)) return After::kKeep;
  }
}

bool Exchange::next_is_near(Connection& connection) const {
  if (!connection.input.empty() || connection.transport->holds_input()) {
    if (receive(connection) == Readiness::kReady) return true;
  }
  pollfd entry{.fd = connection.transport->descriptor(), .events = POLLIN, .revents = 0};
  if (::poll(&entry, 1, kNearMilliseconds) <= 0) return false;
  return receive(connection) == Readiness::kReady;
}

After Exchange::serve_one(Connection& connection) const {
  RequestHead head = connection.intake.take_head();
  Channel channel(*connection.transport, limits_, connection.wait_state);
  IncomingBody body(head, connection.input, channel);
  const std::string label = head.method + " " + head.path;
  const Asked asked{.head_request = head.method == "HEAD",
                    .http_1_1 = head.http_1_1,
                    .keep_alive = head.keep_alive,
                    .label = label,
                    .channel = channel,
                    .body = body};

  Request request;
  if (head.body_kind == RequestBodyKind::kLength)
    request.content_length = head.content_length;
  request.method = std::move(head.method);
  request.path = std::move(head.path);
  request.query = std::move(head.query);
  request.headers = std::move(head.headers);
  request.remote_address = connection.remote_address;
  request.body = std::make_unique<BodyHandle>(body);
  return answer(connection, asked, ask_handler(request));
}

Response Exchange::ask_handler(Request& request) const {
  try {
    return handler_(request);
  } catch (...) {
    log_error("request_failed", {{"method", request.method},
                                 {"path", request.path},
                                 {"exception", current_exception_name()}});
    return to_response(Fault::internal());
  }
}

After Exchange::answer(Connection& connection, const Asked& asked,
                       Response response) const {
  if (asked.channel.lagged() && response.status >= 400) {
    response = to_response(Fault::timeout(
        "the request body came too slowly; send at least " +
        std::to_string(limits_.transfer_bytes_per_second_min) + " bytes a second"));
  }
  AnswerTo to{.head_request = asked.head_request,
              .http_1_1 = asked.http_1_1,
              .keep_alive = asked.keep_alive &&
                            !stopping_.load(std::memory_order_relaxed) &&
                            asked.body.may_be_drained(limits_.drain_bytes_max) &&
                            (asked.http_1_1 || !response.stream),
              .stopping = stopping_};
  SendReport report = send_response(asked.channel, response, to);
  if (!report.problem.empty()) {
    log_error("answer_failed", {{"request", asked.label}, {"problem", report.problem}});
  }
  if (report.sent == Sent::kNothing) {
    to.keep_alive = false;
    const Fault fault = report.may_pass ? Fault::unavailable() : Fault::internal();
    report = send_response(asked.channel, to_response(fault), to);
  }
  if (report.sent != Sent::kWhole) {
    if (asked.channel.lagged()) log_info("peer_lagged", {{"request", asked.label}});
    connection.transport->reset_on_close();
    return After::kClose;
  }
  if (!to.keep_alive || !asked.body.drain(limits_.drain_bytes_max)) return After::kEnd;
  connection.input.release_if_empty();
  return After::kKeep;
}

}  // namespace tallyman::http
