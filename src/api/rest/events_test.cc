#include "api/rest/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/rest/test_job.h"

namespace tallyman::rest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "state Open", "progress 2": the events of a stream's text, shortened.
std::vector<std::string> events_of(std::string_view text) {
  const auto value_of = [](std::string_view event, std::string_view key) {
    const std::size_t at = event.find(key);
    if (at == std::string_view::npos) return std::string();
    const std::string_view rest = event.substr(at + key.size());
    return std::string(rest.substr(0, rest.find_first_of(",\"}\n")));
  };
  std::vector<std::string> events;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find("\n\n", begin);
    const std::string_view event = text.substr(begin, end - begin);
    const std::string kind = value_of(event, "event: ");
    events.push_back(kind + " " +
                     (kind == "state" ? value_of(event, "\"state\":\"")
                                      : value_of(event, "\"processed_items\":")));
    begin = end + 2;
  }
  return events;
}

Job job_in(JobState state, std::uint64_t created) {
  Job job = complete_job();
  job.state = state;
  job.counts = {.created = created};
  return job;
}

TEST(EventId, RoundTrips) {
  const EventPosition position{3, 80'000, 17};
  EXPECT_EQ(to_event_id(position), "3.80000.17");
  EXPECT_EQ(parse_event_id("3.80000.17"), position);
}

TEST(EventId, IsNothingForWhatIsNotOurs) {
  for (const char* id : {"", "3", "3.1", "3.1.2.4", "3.1.", ".1.2", "a.1.2", "3.1.-2"}) {
    EXPECT_EQ(parse_event_id(id), std::nullopt) << id;
  }
}

TEST(Events, TellAWholeJobToWhoComesAtItsEnd) {
  EventPosition position;
  const auto events = take_new_events(position, job_in(JobState::kJobComplete, 2),
                                      history_to(JobState::kJobComplete));
  EXPECT_THAT(events_of(events.text),
              ElementsAre("state Open", "state Upload Complete", "state In Progress",
                          "progress 2", "state Job Complete"));
  EXPECT_TRUE(events.ended);
  EXPECT_EQ(position, (EventPosition{4, 2, 0}));
}

TEST(Events, TellOnlyWhatIsNew) {
  EventPosition position;
  auto events =
      take_new_events(position, job_in(JobState::kOpen, 0), history_to(JobState::kOpen));
  EXPECT_THAT(events_of(events.text), ElementsAre("state Open"));
  events =
      take_new_events(position, job_in(JobState::kOpen, 0), history_to(JobState::kOpen));
  EXPECT_THAT(events.text, IsEmpty());
  events = take_new_events(position, job_in(JobState::kInProgress, 1),
                           history_to(JobState::kInProgress));
  EXPECT_THAT(events_of(events.text),
              ElementsAre("state Upload Complete", "state In Progress", "progress 1"));
  EXPECT_FALSE(events.ended);
}

// Every id that a client may have seen last leads to the rest of the same events.
TEST(Events, GoOnAfterAnyEvent) {
  EventPosition start;
  const Job job = job_in(JobState::kJobComplete, 2);
  const auto history = history_to(JobState::kJobComplete);
  const std::string all = take_new_events(start, job, history).text;
  for (std::size_t at = 0; (at = all.find("id: ", at)) != std::string::npos; ++at) {
    const std::size_t line_end = all.find('\n', at);
    auto position = parse_event_id(all.substr(at + 4, line_end - at - 4));
    ASSERT_TRUE(position.has_value());
    const std::string rest = all.substr(all.find("\n\n", at) + 2);
    const auto again = take_new_events(*position, job, history);
    EXPECT_EQ(again.text, rest);
    EXPECT_TRUE(again.ended);
  }
}

TEST(Events, TellCheckedRecordsBeforeAnyIsWritten) {
  EventPosition position{3, 0, 0};
  Job job = job_in(JobState::kInProgress, 0);
  job.options.atomic = true;
  job.checked_items = 1;
  const auto events = take_new_events(position, job, history_to(JobState::kInProgress));
  EXPECT_THAT(events_of(events.text), ElementsAre("progress 0"));
  EXPECT_EQ(position.checked, 1u);
}

TEST(Events, PassOverHistoryWithoutAChangeOfState) {
  EventPosition position;
  auto history = history_to(JobState::kInProgress);
  history.push_back({.sequence = 4, .at = history[0].at, .event = "slice_reclaimed"});
  const auto events =
      take_new_events(position, job_in(JobState::kInProgress, 0), history);
  EXPECT_THAT(events_of(events.text),
              ElementsAre("state Open", "state Upload Complete", "state In Progress"));
}

}  // namespace
}  // namespace tallyman::rest
