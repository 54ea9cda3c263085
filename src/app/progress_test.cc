#include "app/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "app/exit_code.h"
#include "app/job_summary.h"

namespace tallyman {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class HandClock final : public Clock {
 public:
  Timestamp now() const override { return from_micros(0); }
  std::chrono::steady_clock::time_point steady() const override { return at_; }
  void pass(milliseconds time) { at_ += time; }

 private:
  std::chrono::steady_clock::time_point at_{};
};

TEST(ProgressLineTest, ShowsBytesOnATerminal) {
  EXPECT_EQ(
      progress_line({.title = {"people.csv", ProgressUnit::kBytes},
                     .step = {.done = 120U << 20, .total = 464U << 20},
                     .rate = 36'909'875.2,
                     .left = seconds(10),
                     .bar = true}),
      "people.csv  [=====>              ]   25%  120.0 MiB of 464.0 MiB  35.2 MiB/s  "
      "10 s left");
}

TEST(ProgressLineTest, ShowsRecordsElsewhere) {
  EXPECT_EQ(
      progress_line({.title = {"people", ProgressUnit::kRecords},
                     .step = {.done = 1'240'000, .total = 2'000'000, .note = "3 failed"},
                     .rate = 85'000,
                     .left = seconds(9)}),
      "people   62%  1,240,000 of 2,000,000 records  85,000/s  9 s left  3 failed");
}

TEST(ProgressLineTest, IsFullOnlyAtTheEnd) {
  const auto bar = [](std::uint64_t done, std::uint64_t total) {
    return progress_line({.title = {"f", ProgressUnit::kRecords},
                          .step = {.done = done, .total = total},
                          .bar = true});
  };
  EXPECT_THAT(bar(999, 1'000), HasSubstr("[===================>]   99%"));
  EXPECT_THAT(bar(1'000, 1'000), HasSubstr("[====================]  100%"));
  EXPECT_THAT(bar(0, 1'000), HasSubstr("[>                   ]    0%"));
  EXPECT_THAT(bar(0, 0), HasSubstr("100%"));
}

TEST(ProgressLineTest, SaysNothingOfWhatIsNotKnown) {
  EXPECT_EQ(progress_line({.title = {"standard input", ProgressUnit::kBytes},
                           .step = {.done = 2048}}),
            "standard input  2.0 KiB");
}

TEST(RateTest, IsThatOfTheLastSeconds) {
  HandClock clock;
  Rate rate;
  EXPECT_EQ(rate.per_second(), 0.0);
  for (int i = 0; i <= 20; ++i) {
    rate.add(clock.steady(), static_cast<std::uint64_t>(i) * 100);
    clock.pass(seconds(1));
  }
  EXPECT_DOUBLE_EQ(rate.per_second(), 100.0);
  for (int i = 1; i <= 12; ++i) {
    rate.add(clock.steady(), 2'000 + static_cast<std::uint64_t>(i) * 500);
    clock.pass(seconds(1));
  }
  EXPECT_DOUBLE_EQ(rate.per_second(), 500.0);
}

TEST(RateTest, IsNotMadeOfAMoment) {
  HandClock clock;
  Rate rate;
  rate.add(clock.steady(), 0);
  clock.pass(milliseconds(1));
  rate.add(clock.steady(), 1'000'000);
  EXPECT_EQ(rate.per_second(), 0.0);
}

TEST(RateTest, StartsAnewWhenAnUploadGoesBack) {
  HandClock clock;
  Rate rate;
  rate.add(clock.steady(), 0);
  clock.pass(seconds(1));
  rate.add(clock.steady(), 1'000);
  clock.pass(seconds(1));
  rate.add(clock.steady(), 500);
  EXPECT_EQ(rate.per_second(), 0.0);
  clock.pass(seconds(1));
  rate.add(clock.steady(), 700);
  EXPECT_DOUBLE_EQ(rate.per_second(), 200.0);
}

TEST(ProgressTest, RedrawsItsLineOnATerminal) {
  HandClock clock;
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err, true, clock};
  Progress progress(console, {"f", ProgressUnit::kRecords});
  progress.update({.done = 1, .total = 4});
  clock.pass(milliseconds(50));
  progress.update({.done = 2, .total = 4});  // Too soon to draw.
  clock.pass(milliseconds(50));
  progress.update({.done = 3, .total = 4});
  progress.update({.done = 4, .total = 4});
  progress.finish();
  EXPECT_EQ(err.str(),
            "\rf  [=====>              ]   25%  1 of 4 records\x1b[K"
            "\rf  [===============>    ]   75%  3 of 4 records\x1b[K"
            "\rf  [====================]  100%  4 of 4 records\x1b[K\n");
}

TEST(ProgressTest, WritesALineNowAndThenElsewhere) {
  HandClock clock;
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err, false, clock};
  Progress progress(console, {"f", ProgressUnit::kRecords});
  for (std::uint64_t done = 0; done <= 110; done += 10) {
    progress.update({.done = done, .total = 110});
    clock.pass(seconds(1));
  }
  progress.finish();
  EXPECT_EQ(err.str(),
            "f   45%  50 of 110 records  10/s  6 s left\n"
            "f   90%  100 of 110 records  10/s  1 s left\n"
            "f  100%  110 of 110 records  10/s\n");
}

TEST(ProgressTest, SaysNothingWhereNothingHappened) {
  HandClock clock;
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err, true, clock};
  Progress(console, {"f", ProgressUnit::kBytes}).finish();
  EXPECT_EQ(err.str(), "");
}

client::JobStatus ended(JobState state, std::uint64_t failed, bool verified) {
  client::JobStatus status;
  status.state = state;
  status.total_items = 1'000;
  status.created = 1'000 - failed;
  status.failed = failed;
  status.verified = verified;
  return status;
}

TEST(ExitCodeTest, TellsHowAJobEnded) {
  EXPECT_EQ(exit_code_of(ended(JobState::kJobComplete, 0, true)), 0);
  EXPECT_EQ(exit_code_of(ended(JobState::kJobComplete, 1, true)), 1);
  EXPECT_EQ(exit_code_of(ended(JobState::kJobComplete, 1'000, true)), 1);
  EXPECT_EQ(exit_code_of(ended(JobState::kJobComplete, 0, false)), 2);
  EXPECT_EQ(exit_code_of(ended(JobState::kFailed, 0, false)), 2);
  EXPECT_EQ(exit_code_of(ended(JobState::kAborted, 0, false)), 2);
}

TEST(JobSummaryTest, CountsWhatBecameOfTheRecords) {
  client::JobStatus status = ended(JobState::kJobComplete, 10, true);
  status.error_summary = {{"INVALID_TYPE", 9}, {"DUPLICATE_VALUE", 1}};
  status.errors = {{12, "INVALID_TYPE", "amount", "must be a decimal number"},
                   {13, "DUPLICATE_VALUE", "", "the key is taken"}};
  std::ostringstream out;
  print_outcome(out, status);
  EXPECT_EQ(
      out.str(),
      "Job Complete: 1,000 records, 990 created, 10 failed\n"
      "  9 INVALID_TYPE\n"
      "  1 DUPLICATE_VALUE\n"
      "  record 12: amount: must be a decimal number (INVALID_TYPE)\n"
      "  record 13: the key is taken (DUPLICATE_VALUE)\n"
      "  all of them: tallyman results 00000000-0000-0000-0000-000000000000 --outcome "
      "failed\n");
}

TEST(JobSummaryTest, SaysWhyAJobFailed) {
  client::JobStatus status = ended(JobState::kFailed, 0, false);
  status.created = 0;
  status.unprocessed = 1'000;
  status.message = "the control totals differ";
  std::ostringstream out;
  print_outcome(out, status);
  EXPECT_EQ(out.str(),
            "Failed: 1,000 records, 1,000 unprocessed\n  the control totals differ\n");
}

}  // namespace
}  // namespace tallyman
