// TestUpload: a text as an upload: split, read, and cut into windows of any size.
//
//   TestUpload upload(ContentType::kCsv, "id,name\n1,Anna\n", resource);
//   for (const Window& window : upload.windows(2)) ...
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "format/record_reader.h"
#include "format/splitter.h"
#include "model/resource.h"
#include "target/target.h"

namespace tallyman {

class TestUpload {
 public:
  TestUpload(ContentType type, std::string_view text, const Resource& resource) {
    InputFormat format;
    format.type = type;
    SplitLimits limits;
    limits.data_is_a_field = resource.field_place("data").has_value();
    const auto splitter = make_splitter(format, limits);
    CHECK(splitter->push(text).ok() && splitter->finish().ok());
    columns_ =
        type == ContentType::kCsv ? splitter->header().value() : resource.field_names();

    RecordReader reader({.format = format, .columns = columns_});
    for (const Piece& piece : splitter->take_pieces()) {
      auto bytes = std::make_unique<char[]>(piece.length + RecordBatch::kPadding);
      std::memcpy(bytes.get(), text.data() + piece.offset, piece.length);
      auto batch = reader.read(piece, std::move(bytes));
      CHECK(batch.ok());
      batches_.push_back(std::move(batch).value());
      size_ += batches_.back()->size();
    }
  }

  const std::vector<std::string>& columns() const { return columns_; }
  std::size_t size() const { return size_; }

  std::vector<Window> windows(std::size_t window_records) const {
    std::vector<Window> windows;
    for (std::size_t first = 0; first < size_; first += window_records) {
      Window window;
      window.number = WindowNumber(static_cast<std::int64_t>(windows.size()));
      window.first_record = RecordNumber(static_cast<std::int64_t>(first) + 1);
      window.record_count = std::min(window_records, size_ - first);
      std::size_t at = 0;
      for (const auto& batch : batches_) {
        const std::size_t begin = std::max(first, at);
        const std::size_t end = std::min(first + window.record_count, at + batch->size());
        if (begin < end) window.parts.push_back({batch, begin - at, end - at});
        at += batch->size();
      }
      windows.push_back(std::move(window));
    }
    return windows;
  }

 private:
  std::vector<std::string> columns_;
  std::vector<std::shared_ptr<const RecordBatch>> batches_;
  std::size_t size_ = 0;
};

}  // namespace tallyman
