#include "model/job_state.h"

#include <cstddef>
#include <string>

#include "base/check.h"

namespace tallyman {
namespace {

constexpr std::size_t index(JobState state) { return static_cast<std::size_t>(state); }

using StateSet = std::array<bool, kAllJobStates.size()>;

// Every state that can be reached from `start`, `start` itself included.
constexpr StateSet reachable_from(JobState start) {
  StateSet seen{};
  seen[index(start)] = true;
  // One pass finds at least one new state, so this many passes find them all.
  for (std::size_t pass = 0; pass < kAllJobStates.size(); ++pass) {
    for (const Transition& row : kTransitions) {
      if (seen[index(row.from)]) seen[index(row.to)] = true;
    }
  }
  return seen;
}

// The table is data, so the compiler can prove things about it.

consteval bool each_event_has_one_outcome() {
  for (std::size_t i = 0; i < kTransitions.size(); ++i) {
    for (std::size_t j = i + 1; j < kTransitions.size(); ++j) {
      if (kTransitions[i].from == kTransitions[j].from &&
          kTransitions[i].event == kTransitions[j].event) {
        return false;
      }
    }
  }
  return true;
}

consteval bool every_state_is_reachable() {
  for (const bool seen : reachable_from(JobState::kOpen)) {
    if (!seen) return false;
  }
  return true;
}

consteval bool every_state_can_end() {
  for (const JobState start : kAllJobStates) {
    const StateSet seen = reachable_from(start);
    bool can_end = false;
    for (const JobState end : kAllJobStates) {
      if (seen[index(end)] && is_terminal(end)) can_end = true;
    }
    if (!can_end) return false;
  }
  return true;
}

static_assert(each_event_has_one_outcome());
static_assert(every_state_is_reachable());
static_assert(every_state_can_end());
static_assert(is_terminal(JobState::kJobComplete) && is_terminal(JobState::kFailed) &&
              is_terminal(JobState::kAborted));

}  // namespace

std::string_view name(JobState state) {
  switch (state) {
    case JobState::kOpen: return "Open";
    case JobState::kUploadComplete: return "Upload Complete";
    case JobState::kInProgress: return "In Progress";
    case JobState::kJobComplete: return "Job Complete";
    case JobState::kFailed: return "Failed";
    case JobState::kAborted: return "Aborted";
  }
  CHECK(false);
}

std::string_view name(JobEvent event) {
  switch (event) {
    case JobEvent::kUploadCompleted: return "upload_completed";
    case JobEvent::kUploadRefused: return "upload_refused";
    case JobEvent::kUploadExpired: return "upload_expired";
    case JobEvent::kAbortRequested: return "abort_requested";
    case JobEvent::kClaimed: return "claimed";
    case JobEvent::kFinished: return "finished";
    case JobEvent::kGaveUp: return "gave_up";
  }
  CHECK(false);
}

std::optional<JobState> job_state_from_name(std::string_view text) {
  const auto without_spaces = [](std::string_view words) {
    std::string joined(words);
    std::erase(joined, ' ');
    return joined;
  };
  for (const JobState state : kAllJobStates) {
    if (without_spaces(name(state)) == without_spaces(text)) return state;
  }
  return std::nullopt;
}

}  // namespace tallyman
