#include "payload/batch_stream.h"

#include <algorithm>

namespace tallyman {

BatchStream::BatchStream(std::unique_ptr<PayloadReader> payload,
                         RecordReader::Options options)
    : payload_(std::move(payload)),
      reader_(options),
      record_bytes_max_(options.record_bytes_max) {}

void BatchStream::seek(RecordNumber record) {
  const auto& pieces = payload_->pieces();
  const auto wanted = static_cast<std::uint64_t>(record.value() - 1);
  const auto found = std::upper_bound(
      pieces.begin(), pieces.end(), wanted, [](std::uint64_t number, const Piece& piece) {
        return number < piece.first_record + piece.record_count;
      });
  piece_ = static_cast<std::size_t>(found - pieces.begin());
  skip_ = found == pieces.end() ? 0 : wanted - found->first_record;
}

Result<std::optional<BatchStream::Part>> BatchStream::next() {
  if (piece_ == payload_->pieces().size()) return std::optional<Part>();
  const Piece& piece = payload_->pieces()[piece_];

  const std::uint64_t length = piece.kind == PieceKind::kTooLarge
                                   ? std::min(piece.length, record_bytes_max_)
                                   : piece.length;
  // Not make_unique: it would zero what is about to be read over.
  std::unique_ptr<char[]> bytes(new char[length + RecordBatch::kPadding]);
  TALLY_TRY(payload_->read(piece.offset, {bytes.get(), length}));
  TALLY_TRY_ASSIGN(auto batch, reader_.read(piece, std::move(bytes)));

  Part part{.batch = std::move(batch),
            .begin = skip_,
            .first_record =
                RecordNumber(static_cast<std::int64_t>(piece.first_record + skip_) + 1)};
  ++piece_;
  skip_ = 0;
  return std::optional<Part>(std::move(part));
}

}  // namespace tallyman
