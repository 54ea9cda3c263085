#include "app/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/quantities.h"

namespace tallyman {
namespace {

constexpr std::chrono::seconds kRateWindow{10};
constexpr std::chrono::milliseconds kRateStep{200};
constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kPlainLine{5};
constexpr int kBarWidth = 20;

std::string bar_of(double fraction) {
  const int filled = static_cast<int>(fraction * kBarWidth);
  std::string bar(static_cast<std::size_t>(filled), '=');
  if (filled < kBarWidth) bar += '>';
  bar.resize(kBarWidth, ' ');
  return '[' + bar + ']';
}

std::string amount(ProgressUnit unit, std::uint64_t value) {
  return unit == ProgressUnit::kBytes ? show_bytes(value) : show_count(value);
}

}  // namespace

std::optional<double> fraction_of(const ProgressStep& step) {
  if (step.total) {
    if (*step.total == 0) return 1.0;
    return std::min(1.0,
                    static_cast<double>(step.done) / static_cast<double>(*step.total));
  }
  if (step.fraction) return std::clamp(*step.fraction, 0.0, 1.0);
  return std::nullopt;
}

std::string progress_line(const ProgressView& view) {
  std::string line = view.title.title;
  if (const auto fraction = fraction_of(view.step)) {
    if (view.bar) line += "  " + bar_of(*fraction);
    line += fmt::format("  {:3}%", static_cast<int>(std::floor(*fraction * 100)));
  }
  const ProgressUnit unit = view.title.unit;
  line += "  " + amount(unit, view.step.done);
  if (view.step.total) line += " of " + amount(unit, *view.step.total);
  if (unit == ProgressUnit::kRecords) line += " records";
  if (view.rate > 0) {
    line += "  " + amount(unit, static_cast<std::uint64_t>(view.rate)) + "/s";
  }
  if (view.left) line += "  " + show_duration(*view.left) + " left";
  if (!view.step.note.empty()) line += "  " + view.step.note;
  return line;
}

void Rate::add(std::chrono::steady_clock::time_point at, std::uint64_t done) {
  // An upload that went on from an earlier offset has moved, not run backwards.
  if (!samples_.empty() && done < samples_.back().done) samples_.clear();
  if (samples_.size() > 1 && at - samples_[samples_.size() - 2].at < kRateStep) {
    samples_.back() = {at, done};
  } else {
    samples_.push_back({at, done});
  }
  while (samples_.size() > 2 && at - samples_.front().at > kRateWindow)
    samples_.pop_front();
}

double Rate::per_second() const {
  if (samples_.size() < 2) return 0.0;
  const std::chrono::duration<double> time = samples_.back().at - samples_.front().at;
  if (time < kRateStep) return 0.0;
  return static_cast<double>(samples_.back().done - samples_.front().done) / time.count();
}

Progress::Progress(Console& console, ProgressTitle title)
    : console_(console), title_(std::move(title)) {}

void Progress::update(const ProgressStep& step) {
  const auto now = console_.clock.steady();
  rate_.add(now, step.done);
  last_ = step;
  last_is_shown_ = false;
  if (!shown_at_) shown_at_ = console_.err_is_terminal ? now - kRedraw : now;
  const auto pause = console_.err_is_terminal
                         ? std::chrono::duration_cast<std::chrono::milliseconds>(kRedraw)
                         : kPlainLine;
  if (now - *shown_at_ < pause) return;
  shown_at_ = now;
  show(step);
}

void Progress::show(const ProgressStep& step) {
  ProgressView view{title_, step, rate_.per_second(), std::nullopt,
                    console_.err_is_terminal};
  const auto fraction = fraction_of(step);
  if (view.rate > 0 && step.total && *step.total > step.done) {
    const double seconds = static_cast<double>(*step.total - step.done) / view.rate;
    view.left = std::chrono::seconds(static_cast<std::int64_t>(std::ceil(seconds)));
  } else if (view.rate > 0 && !step.total && fraction && *fraction > 0.01 &&
             *fraction < 1) {
    const double whole = static_cast<double>(step.done) / *fraction;
    const double seconds = (whole - static_cast<double>(step.done)) / view.rate;
    view.left = std::chrono::seconds(static_cast<std::int64_t>(std::ceil(seconds)));
  }
  // "\x1b[K" clears what a longer line left behind.
  console_.err << (console_.err_is_terminal ? "\r" : "") << progress_line(view)
               << (console_.err_is_terminal ? "\x1b[K" : "\n") << std::flush;
  last_is_shown_ = true;
}

void Progress::finish() {
  if (last_ && !last_is_shown_) show(*last_);
  if (last_ && console_.err_is_terminal) console_.err << '\n' << std::flush;
  last_.reset();
}

}  // namespace tallyman
