// StoredUpload: a text as a sealed payload, in pieces of a size that the test chooses.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "format/record_reader.h"
#include "format/splitter.h"
#include "payload/batch_stream.h"
#include "worker/test_engine.h"

namespace tallyman {

class StoredUpload {
 public:
  explicit StoredUpload(std::string_view csv, std::uint64_t piece_bytes_max = 1 << 20) {
    const auto splitter = make_splitter(
        {}, {.record_bytes_max = std::min<std::uint64_t>(piece_bytes_max, 1 << 20),
             .piece_bytes_max = piece_bytes_max});
    must(splitter->push(csv));
    must(splitter->finish());
    columns_ = splitter->header().value();
    store(csv, splitter->take_pieces());
  }

  // An index that does not hold: of the second piece it promises one record too many.
  void damage(std::string_view csv) {
    auto pieces = must(payloads_->open(job_))->pieces();
    CHECK(pieces.size() > 1);
    ++pieces[1].record_count;
    for (std::size_t i = 2; i < pieces.size(); ++i) ++pieces[i].first_record;
    store(csv, pieces);
  }

  const std::vector<std::string>& columns() const { return columns_; }
  std::size_t piece_count() { return must(payloads_->open(job_))->pieces().size(); }
  std::unique_ptr<BatchStream> records() {
    RecordReader::Options options;
    options.columns = columns_;
    return std::make_unique<BatchStream>(must(payloads_->open(job_)), options);
  }

 private:
  void store(std::string_view csv, const std::vector<Piece>& pieces) {
    const auto writer = must(payloads_->create(job_));
    must(writer->append(csv));
    writer->add_pieces(pieces);
    must(writer->seal());
  }

  db::TemporaryFolder folder_;
  std::unique_ptr<DiskPayloadStore> payloads_ =
      must(DiskPayloadStore::open(folder_.file("payload")));
  SeededRandom random_;
  JobId job_{Uuid::make_v7(from_micros(0), random_)};
  std::vector<std::string> columns_;
};

// "id,name", and records 1, 2, 3 ... of growing and shrinking length.
inline std::string numbered_csv(int records) {
  std::string csv = "id,name\n";
  for (int i = 1; i <= records; ++i) {
    csv += std::to_string(i) + "," +
           std::string(static_cast<std::size_t>(i * 7 % 23), 'x') + "\n";
  }
  return csv;
}

}  // namespace tallyman
