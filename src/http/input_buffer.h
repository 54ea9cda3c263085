// InputBuffer: bytes that have arrived on a connection and that nobody has used yet.
//
// Ownership: view() points into the buffer until the next change. Threads: none of its
// own. Memory: none while empty and released.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/check.h"

namespace tallyman::http {

class InputBuffer {
 public:
  std::string_view view() const { return std::string_view(bytes_).substr(begin_); }
  bool empty() const { return begin_ == bytes_.size(); }

  void append(std::string_view bytes) {
    if (begin_ > 0) {
      bytes_.erase(0, begin_);
      begin_ = 0;
    }
    bytes_.append(bytes);
  }

  // REQUIRES: count <= view().size().
  void consume(std::size_t count) {
    CHECK(count <= bytes_.size() - begin_);
    begin_ += count;
    if (empty()) {
      bytes_.clear();
      begin_ = 0;
    }
  }

  // Gives the memory back; for a connection that goes idle.
  void release_if_empty() {
    if (empty()) std::string().swap(bytes_);
  }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace tallyman::http
