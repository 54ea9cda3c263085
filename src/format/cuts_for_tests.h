// The promise of every splitter, as a check of one upload: the pieces are the same
// wherever the stream is cut, and wherever it is taken up again from a checkpoint.
#pragma once

#include <gtest/gtest.h>

#include "format/upload_for_tests.h"

namespace tallyman::for_tests {

inline void expect_cuts_do_not_matter(const Upload& upload) {
  const SplitUpload whole = split(upload);
  const std::size_t size = upload.bytes.size();
  for (std::size_t i = 0; i <= size; ++i) {
    for (std::size_t j = i; j <= size; ++j) {
      ASSERT_EQ(split_with_restarts(upload, {i, j}), whole)
          << "restarted at " << i << ", " << j;
      ASSERT_EQ(split(upload, {i, j}), whole) << "cut at " << i << " and " << j;
    }
  }
}

}  // namespace tallyman::for_tests
