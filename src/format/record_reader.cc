#include "format/record_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "format/csv_reader.h"
#include "format/json_reader.h"
#include "format/piece_reader.h"

namespace tallyman {
namespace {

std::unique_ptr<PieceReader> make_reader(const RecordReader::Options& options) {
  switch (options.format.type) {
    case ContentType::kCsv: return std::make_unique<CsvReader>(options);
    case ContentType::kNdjson:
    case ContentType::kJson: return std::make_unique<JsonReader>(options);
  }
  CHECK(false);
}

RecordError too_large(const Piece& piece, std::uint64_t record_bytes_max) {
  const std::string limit =
      std::to_string(record_bytes_max) + " bytes (record_bytes_max)";
  if (piece.length > record_bytes_max) {
    return {RecordErrorCode::kRecordTooLarge, "", "the record is longer than " + limit};
  }
  return {RecordErrorCode::kRecordTooLarge, "",
          "a quote that is opened and not closed makes the record longer than " + limit};
}

RecordError unclosed_quote() {
  return {RecordErrorCode::kMalformedRecord, "", "a quote is opened and never closed"};
}

}  // namespace

class RecordReader::Impl {
 public:
  explicit Impl(Options options)
      : options_(std::move(options)), reader_(make_reader(options_)) {}

  Result<std::shared_ptr<const RecordBatch>> read(const Piece& piece,
                                                  std::unique_ptr<char[]> bytes) {
    CHECK(piece.record_count > 0);
    const std::uint64_t length = piece.kind == PieceKind::kTooLarge
                                     ? std::min(piece.length, options_.record_bytes_max)
                                     : piece.length;
    std::memset(bytes.get() + length, 0, RecordBatch::kPadding);
    RecordBatchFill fill(piece, options_.columns.size(), std::move(bytes));
    if (piece.kind != PieceKind::kRecords) {
      fill.add({fill.bytes(), length});
      fill.fail(0, piece.kind == PieceKind::kTooLarge
                       ? too_large(piece, options_.record_bytes_max)
                       : unclosed_quote());
    } else if (!reader_->read(fill)) {
      return Error{ErrorCode::kInternal,
                   "the " + std::to_string(piece.length) + " bytes at byte " +
                       std::to_string(piece.offset) + " of the upload do not hold " +
                       std::to_string(piece.record_count) +
                       " records, as the index says: the payload was changed"};
    }
    return std::shared_ptr<const RecordBatch>(std::move(fill.batch));
  }

 private:
  const Options options_;
  std::unique_ptr<PieceReader> reader_;
};

RecordReader::RecordReader(Options options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

RecordReader::~RecordReader() = default;

Result<std::shared_ptr<const RecordBatch>> RecordReader::read(
    const Piece& piece, std::unique_ptr<char[]> bytes) {
  return impl_->read(piece, std::move(bytes));
}

}  // namespace tallyman
