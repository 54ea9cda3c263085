// WindowPipeline: reads and binds the next window in a thread of its own while the one
// before it is being written.
//
//   WindowPipeline pipeline(std::move(source), writer, slices);
//   while (true) {
//     TALLY_TRY_ASSIGN(auto window, pipeline.next());
//     if (!window) break;
//     ... write window->bound ...
//   }
//
// Threads: next() from one thread. The writer's bind() is called in the pipeline's
// thread. Memory:  two windows: the one given out last and the one after it.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/result.h"
#include "target/target.h"
#include "worker/window_source.h"

namespace tallyman {

struct PreparedWindow {
  WindowNumber number{0};
  RecordNumber first_record{1};
  std::size_t record_count = 0;
  std::uint64_t bytes = 0;  // Of all its records' text and cells.
  std::unique_ptr<BoundWindow> bound;
};

class WindowPipeline {
 public:
  // `writer` must outlive the pipeline.
  WindowPipeline(std::unique_ptr<WindowSource> source, JobWriter& writer,
                 SliceSet slices = {});
  ~WindowPipeline();
  WindowPipeline(const WindowPipeline&) = delete;
  WindowPipeline& operator=(const WindowPipeline&) = delete;

  // Waits for the next window; nothing at the end. After an error there is nothing more.
  Result<std::optional<PreparedWindow>> next();
  // Windows that are bound from now on have these slices alone.
  void narrow(std::vector<SliceNumber> mine);

 private:
  using Prepared = Result<std::optional<PreparedWindow>>;

  void run();
  Prepared prepare();
  SliceSet slices();

  std::unique_ptr<WindowSource> source_;
  JobWriter& writer_;

  std::mutex mutex_;  // Guards what follows.
  SliceSet slices_;
  std::condition_variable changed_;
  std::optional<Prepared> ready_;
  bool stopped_ = false;

  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace tallyman
