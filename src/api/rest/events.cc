#include "api/rest/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include "api/rest/bodies.h"
#include "api/rest/handlers.h"
#include "api/rest/options.h"
#include "base/json_writer.h"
#include "base/time_text.h"

namespace tallyman::rest {
namespace {

// A proxy drops a connection on which nothing moves, mostly after 60 s; a client that is
// gone is found by writing to it.
constexpr std::chrono::seconds kHeartbeat{15};
// How long a server that is to stop may be kept waiting.
constexpr std::chrono::milliseconds kWaitMax{500};

void append_event(std::string& text, std::string_view event,
                  const EventPosition& position, std::string_view data) {
  text +=
      fmt::format("id: {}\nevent: {}\ndata: {}\n\n", to_event_id(position), event, data);
}

std::string state_data(const Job& job, const JobHistoryEntry& entry) {
  std::string data;
  JsonWriter json(data);
  json.begin_object().key("job_id").text(job.id.to_string());
  json.key("state").text(name(*entry.to)).key("from");
  entry.from ? json.text(name(*entry.from)) : json.null();
  json.key("event").text(entry.event).key("at").text(to_rfc3339(entry.at));
  json.key("by").text(entry.by).key("detail").text(entry.detail).end_object();
  return data;
}

void append_progress(std::string& text, EventPosition& position, const Job& job) {
  if (position.processed == job.counts.processed() &&
      position.checked == job.checked_items) {
    return;
  }
  position.processed = job.counts.processed();
  position.checked = job.checked_items;
  append_event(text, "progress", position, progress_body(job));
}

class EventStream {
 public:
  EventStream(const RestParts& parts, Caller caller, JobReference job,
              EventPosition position, http::Headers headers)
      : parts_(parts),
        caller_(std::move(caller)),
        job_(std::move(job)),
        position_(position),
        headers_(std::move(headers)) {}

  Result<void> write(http::BodySink& sink) {
    auto last_sent = parts_.clock.steady();
    while (!sink.stopping()) {
      const std::uint64_t seen = parts_.service.changes().version();
      TALLY_TRY_ASSIGN(const NewEvents events, look());
      const bool heartbeat = parts_.clock.steady() - last_sent >= kHeartbeat;
      if (!events.text.empty() || heartbeat) {
        TALLY_TRY(sink.write(events.text.empty() ? ": still here\n\n" : events.text));
        TALLY_TRY(sink.flush());
        last_sent = parts_.clock.steady();
      }
      if (events.ended) return {};
      wait(seen, sink);
    }
    return {};
  }

 private:
  // The token is asked for each time: one that is revoked or expires ends the stream.
  Result<NewEvents> look() {
    TALLY_TRY(Authenticator(parts_.tokens).authenticate(headers_));
    TALLY_TRY_ASSIGN(const auto history, parts_.service.history(caller_, job_));
    TALLY_TRY_ASSIGN(const Job job, parts_.service.find(caller_, job_));
    return take_new_events(position_, job, history);
  }

  void wait(std::uint64_t seen, const http::BodySink& sink) {
    const auto until = parts_.clock.steady() + kHeartbeat;
    while (!sink.stopping() && parts_.clock.steady() < until) {
      if (parts_.service.changes().wait(seen, kWaitMax) != seen) return;
    }
  }

  const RestParts& parts_;
  const Caller caller_;
  const JobReference job_;
  EventPosition position_;
  const http::Headers headers_;
};

Result<bool> has_seen_all(const Call& call, EventPosition position) {
  TALLY_TRY_ASSIGN(const auto history, call.service().history(call.caller, call.job));
  TALLY_TRY_ASSIGN(const Job job, call.service().find(call.caller, call.job));
  const NewEvents events = take_new_events(position, job, history);
  return events.ended && events.text.empty();
}

}  // namespace

std::string to_event_id(const EventPosition& position) {
  return fmt::format("{}.{}.{}", position.sequence, position.processed, position.checked);
}

std::optional<EventPosition> parse_event_id(std::string_view id) {
  std::array<std::uint64_t, 3> numbers{};
  for (std::uint64_t& number : numbers) {
    const std::size_t dot = std::min(id.find('.'), id.size());
    const auto parsed = parse_whole_number(id.substr(0, dot));
    const bool is_last = &number == &numbers.back();
    if (!parsed || is_last != (dot == id.size())) return std::nullopt;
    number = *parsed;
    id.remove_prefix(std::min(dot + 1, id.size()));
  }
  return EventPosition{static_cast<std::int64_t>(numbers[0]), numbers[1], numbers[2]};
}

NewEvents take_new_events(EventPosition& position, const Job& job,
                          const std::vector<JobHistoryEntry>& history) {
  NewEvents events;
  for (const JobHistoryEntry& entry : history) {
    if (!entry.to) continue;
    const bool is_last = is_terminal(*entry.to);
    events.ended = events.ended || is_last;
    if (entry.sequence <= position.sequence) continue;
    if (is_last) append_progress(events.text, position, job);
    position.sequence = entry.sequence;
    append_event(events.text, "state", position, state_data(job, entry));
  }
  if (!events.ended) append_progress(events.text, position, job);
  return events;
}

Result<http::Response> job_events(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  EventPosition position;
  if (const auto id = call.request.headers.find("Last-Event-ID")) {
    position = parse_event_id(*id).value_or(EventPosition());
  }
  TALLY_TRY_ASSIGN(const bool all_seen, has_seen_all(call, position));
  if (all_seen)
    return http::Response::empty(204);  // Tells an EventSource not to come again.

  http::Response response;
  response.headers.add("Content-Type", "text/event-stream");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Accel-Buffering", "no");  // nginx would hold the events back.
  response.stream = [stream =
                         std::make_shared<EventStream>(call.parts, call.caller, call.job,
                                                       position, call.request.headers)](
                        http::BodySink& sink) { return stream->write(sink); };
  return response;
}

}  // namespace tallyman::rest
