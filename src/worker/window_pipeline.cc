#include "worker/window_pipeline.h"

#include <exception>

namespace tallyman {

WindowPipeline::WindowPipeline(std::unique_ptr<WindowSource> source, JobWriter& writer,
                               SliceSet slices)
    : source_(std::move(source)),
      writer_(writer),
      slices_(std::move(slices)),
      thread_([this] { run(); }) {}

WindowPipeline::~WindowPipeline() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

WindowPipeline::Prepared WindowPipeline::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ready_.has_value(); });
  // The end stays: whoever asks again gets the same answer.
  if (!ready_->ok()) return ready_->error();
  if (!ready_->value()) return std::optional<PreparedWindow>();
  Prepared prepared = std::move(*ready_);
  ready_.reset();
  changed_.notify_all();
  return prepared;
}

void WindowPipeline::narrow(std::vector<SliceNumber> mine) {
  const std::lock_guard lock(mutex_);
  slices_.mine = std::move(mine);
}

SliceSet WindowPipeline::slices() {
  const std::lock_guard lock(mutex_);
  return slices_;
}

void WindowPipeline::run() {
  while (true) {
    Prepared prepared = prepare();
    const bool last = !prepared.ok() || !prepared.value();
    std::unique_lock lock(mutex_);
    ready_ = std::move(prepared);
    changed_.notify_all();
    // Not before this one was taken: else three windows would be in memory.
    changed_.wait(lock, [&] { return stopped_ || (!last && !ready_); });
    if (stopped_) return;
  }
}

WindowPipeline::Prepared WindowPipeline::prepare() {
  try {
    TALLY_TRY_ASSIGN(auto window, source_->next());
    if (!window) return std::optional<PreparedWindow>();
    PreparedWindow prepared{.number = window->number,
                            .first_record = window->first_record,
                            .record_count = window->record_count,
                            .bytes = window->bytes,
                            .bound = nullptr};
    prepared.bound = writer_.bind(std::move(*window), slices());
    return std::optional(std::move(prepared));
  } catch (const std::exception&) {
    return Error{ErrorCode::kInternal, "reading a window ended with an exception"};
  }
}

}  // namespace tallyman
