#include "model/job_state.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace tallyman {
namespace {

TEST(JobState, NamesRoundTrip) {
  for (const JobState state : kAllJobStates) {
    EXPECT_EQ(job_state_from_name(name(state)), state);
  }
  EXPECT_EQ(job_state_from_name("JobComplete"), JobState::kJobComplete);
  EXPECT_EQ(job_state_from_name("Complete"), std::nullopt);
}

TEST(JobState, StoredNumbersNeverChange) {
  EXPECT_EQ(static_cast<int>(JobState::kOpen), 0);
  EXPECT_EQ(static_cast<int>(JobState::kUploadComplete), 1);
  EXPECT_EQ(static_cast<int>(JobState::kInProgress), 2);
  EXPECT_EQ(static_cast<int>(JobState::kJobComplete), 3);
  EXPECT_EQ(static_cast<int>(JobState::kFailed), 4);
  EXPECT_EQ(static_cast<int>(JobState::kAborted), 5);
}

TEST(JobState, NeverGoesBackwards) {
  for (const Transition& row : kTransitions) {
    EXPECT_LT(static_cast<int>(row.from), static_cast<int>(row.to)) << name(row.event);
  }
}

// Every state and event of the table is named in the header's drawing.
TEST(JobState, DrawingNamesEverything) {
  std::ifstream file(SOURCE_DIR "/model/job_state.h");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string drawing = text.substr(0, text.find("#pragma once"));
  for (const Transition& row : kTransitions) {
    EXPECT_NE(drawing.find(name(row.from)), std::string::npos) << name(row.from);
    EXPECT_NE(drawing.find(name(row.event)), std::string::npos) << name(row.event);
    EXPECT_NE(drawing.find(name(row.to)), std::string::npos) << name(row.to);
  }
}

}  // namespace
}  // namespace tallyman
