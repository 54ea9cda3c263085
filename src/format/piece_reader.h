// PieceReader: reads the records of one format out of a piece. The half of RecordReader
// that differs by format; RecordBatchFill is its way into a batch.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "format/record_reader.h"
#include "model/record_batch.h"

namespace tallyman {

// A batch while it is being filled. Its rows are there from the beginning, all kAbsent.
struct RecordBatchFill {
  RecordBatchFill(const Piece& piece, std::size_t columns, std::unique_ptr<char[]> bytes)
      : batch(std::make_shared<RecordBatch>()), text_(std::make_shared<RecordText>()) {
    batch->piece_ = piece;
    batch->columns_ = columns;
    text_->bytes = std::move(bytes);
    batch->text_ = text_;
    batch->cells_.resize(columns * piece.record_count);
    batch->raw_.reserve(piece.record_count);
  }

  const Piece& piece() const { return batch->piece_; }
  char* bytes() { return text_->bytes.get(); }
  std::size_t size() const { return batch->raw_.size(); }
  std::string_view raw(std::size_t record) const { return batch->raw_[record]; }

  // REQUIRES: record < piece().record_count.
  Cell* row(std::size_t record) {
    return batch->cells_.data() + record * batch->columns_;
  }
  void add(std::string_view raw) { batch->raw_.push_back(raw); }

  // Empties the row and says why.
  void fail(std::size_t record, RecordError error) {
    for (std::size_t i = 0; i < batch->columns_; ++i) row(record)[i] = Cell{};
    batch->faults_.emplace(record, std::move(error));
  }

  // Where decoded text goes, which is never longer than what it was decoded from: all of
  // a piece's text has room.
  char* decoded() {
    if (!text_->decoded) {
      text_->decoded = std::make_unique_for_overwrite<char[]>(piece().length);
      decoded_end_ = text_->decoded.get();
    }
    return decoded_end_;
  }
  // The next `bytes` of it are used.
  std::string_view keep_decoded(std::size_t bytes) {
    return {std::exchange(decoded_end_, decoded_end_ + bytes), bytes};
  }

  std::shared_ptr<RecordBatch> batch;

 private:
  std::shared_ptr<RecordText> text_;
  char* decoded_end_ = nullptr;
};

class PieceReader {
 public:
  virtual ~PieceReader() = default;

  // Reads a piece of kRecords. False when it does not hold as many records as it says.
  virtual bool read(RecordBatchFill& fill) = 0;
};

}  // namespace tallyman
