// WindowSource: cuts a payload's records into windows.
//
// Where a window ends depends only on its number, where it begins and the plan, so a job
// that is resumed has the windows that it would have had. The first is an eighth of one.
//
// Threads: one. Memory: the pieces of the window that is being made.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "model/job.h"
#include "payload/batch_stream.h"
#include "target/target.h"

namespace tallyman {

class WindowSource {
 public:
  // Begins with window `number`, whose first record is `first`.
  WindowSource(std::unique_ptr<BatchStream> records, const WindowPlan& plan,
               WindowNumber number, RecordNumber first);

  // Nothing at the end of the payload.
  Result<std::optional<Window>> next();

 private:
  std::unique_ptr<BatchStream> records_;
  WindowPlan plan_;
  WindowNumber number_;
  RecordNumber next_record_;
  std::optional<BatchStream::Part> rest_;  // Records that the last window left over.
};

}  // namespace tallyman
