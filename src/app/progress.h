// Progress: one line that says how far something is, how fast it goes and how long it
// will take: redrawn in place on a terminal, else a plain line now and then.
//
//   Progress progress(console, {.title = "people.csv", .unit = ProgressUnit::kBytes});
//   progress.update({.done = 1 << 20, .total = 10 << 20});
//   progress.finish();
//
//   people.csv  [=====>              ]  26%  120.0 MiB of 464.0 MiB  35.2 MiB/s  10 s
//   left
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "app/console.h"

namespace tallyman {

enum class ProgressUnit { kBytes, kRecords };

struct ProgressTitle {
  std::string title;
  ProgressUnit unit = ProgressUnit::kBytes;
};

struct ProgressStep {
  std::uint64_t done = 0;
  std::optional<std::uint64_t> total;
  // Used where the total is not known.
  std::optional<double> fraction;
  std::string note;  // "3 failed"; shown at the end of the line.
};

// What a line is made of.
struct ProgressView {
  ProgressTitle title;
  ProgressStep step;
  double rate = 0.0;  // Units a second; 0: not known.
  std::optional<std::chrono::seconds> left;
  bool bar = false;
};
std::string progress_line(const ProgressView& view);

// From 0 to 1, where it can be told.
std::optional<double> fraction_of(const ProgressStep& step);

// Units a second over the last seconds, so that a pause is seen and then forgotten.
class Rate {
 public:
  void add(std::chrono::steady_clock::time_point at, std::uint64_t done);
  double per_second() const;  // 0: not known yet.

 private:
  struct Sample {
    std::chrono::steady_clock::time_point at;
    std::uint64_t done;
  };
  std::deque<Sample> samples_;  // Of the last kRateWindow.
};

class Progress {
 public:
  Progress(Console& console, ProgressTitle title);

  void update(const ProgressStep& step);
  // Leaves the last line standing.
  void finish();

 private:
  void show(const ProgressStep& step);

  Console& console_;
  ProgressTitle title_;
  Rate rate_;
  std::optional<std::chrono::steady_clock::time_point> shown_at_;
  std::optional<ProgressStep> last_;
  bool last_is_shown_ = false;
};

}  // namespace tallyman
