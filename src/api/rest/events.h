// The events of a job as server-sent events (HTML Living Standard, 9.2).
//
//   id: 3.80000.0
//   event: progress
//   data: {"job_id": ..., "processed_items": 80000, ...}
//
// `state` events are the changes of state in the history, none left out; `progress`
// events are the counts when they have changed, so several changes may be one event. An
// id says how far the client is: the history's sequence number, records processed,
// records checked. After the state in which a job ends there is no event.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/job.h"

namespace tallyman::rest {

struct EventPosition {
  std::int64_t sequence = 0;
  std::uint64_t processed = 0;
  std::uint64_t checked = 0;

  friend bool operator==(const EventPosition&, const EventPosition&) = default;
};

std::string to_event_id(const EventPosition& position);
// Nothing for what is no id of ours.
std::optional<EventPosition> parse_event_id(std::string_view id);

struct NewEvents {
  std::string text;    // To be sent; empty: nothing is new.
  bool ended = false;  // The last event has been sent.
};

// What a client at `position` has not seen yet; moves the position on.
// REQUIRES: `history` is not newer than `job`.
NewEvents take_new_events(EventPosition& position, const Job& job,
                          const std::vector<JobHistoryEntry>& history);

}  // namespace tallyman::rest
