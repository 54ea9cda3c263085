// Uploads of many batches and blocks, in every format: what the small ones of the other
// tests cannot reach.
#include "format/splitter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "format/upload_for_tests.h"

namespace tallyman::for_tests {
namespace {

constexpr std::size_t kUploadBytes = 60'000;
constexpr std::uint64_t kRecordBytesMax = 9'000;
constexpr std::uint64_t kPieceBytesMax = 12'000;

struct Grammar {
  ContentType type;
  Strings parts;
  std::string begin;
  std::string end;
};

// Good and bad parts in any order; runs that are longer than a block, a batch, a record.
Grammar csv_grammar() {
  return {ContentType::kCsv,
          {"a", "bcd,", "\n", "\r\n", ",\"x,\ny\",", "\n\"\"\"\",",
           ",\"" + std::string(5'000, '\n') + "\",", "\"", "\"broken\"x",
           std::string(100, 'x'), std::string(5'000, 'y'), "1,2,3\n", "1,2,3\n1,2,3\n",
           "5\" wide\n"},
          "a,b\n",
          ""};
}

Grammar ndjson_grammar() {
  return {ContentType::kNdjson,
          {"{}", "\n", "\r\n", "\r", " ", R"({"a": "\n"})", std::string(100, 'x'),
           std::string(5'000, ' '), std::string(5'000, '7'), "1\n2\n3\n"},
          "",
          ""};
}

// Balanced, and an element between any two commas, so that it can be read to its end.
Grammar json_grammar(bool envelope) {
  return {ContentType::kJson,
          {"1,", "{},", R"({"a": ["]", "\"", {"\\": 2}]} ,)",
           "\"" + std::string(5'000, ',') + "\",", std::string(5'000, ' ') + "7 ,",
           std::string(5'000, '[') + std::string(5'000, ']') + ",", "{\"a\" 1},",
           "x y\\,", "\"\\\\\\\"\",", std::string(100, '1') + ",\n"},
          envelope ? R"({"unique_fields": ["a"], "data" : [)" : "[",
          envelope ? R"(1], "x": {"y": "]"}})" : "1]"};
}

Upload random_upload(const Grammar& grammar, std::mt19937& random) {
  Upload upload(grammar.type, grammar.begin, kRecordBytesMax, kPieceBytesMax);
  // A few parts dominate, so that some uploads have long stretches without the rare ones.
  const std::size_t favourite = random() % grammar.parts.size();
  while (upload.bytes.size() < kUploadBytes) {
    const std::size_t part =
        random() % 4 != 0 ? favourite : random() % grammar.parts.size();
    upload.bytes += grammar.parts[part];
  }
  upload.bytes += grammar.end;
  return upload;
}

std::vector<std::size_t> random_cuts(const Upload& upload, std::mt19937& random) {
  std::vector<std::size_t> cuts(1 + random() % 12);
  for (std::size_t& cut : cuts) cut = random() % (upload.bytes.size() + 1);
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

std::vector<std::size_t> every_byte(const Upload& upload) {
  std::vector<std::size_t> cuts(upload.bytes.size());
  for (std::size_t i = 0; i < cuts.size(); ++i) cuts[i] = i;
  return cuts;
}

class LargeUploads : public testing::TestWithParam<Grammar> {};

TEST_P(LargeUploads, CutsAndRestartsDoNotMatter) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::size_t errors = 0;
  constexpr std::size_t kUploads = 15;
  for (std::size_t i = 0; i < kUploads; ++i) {
    const Upload upload = random_upload(GetParam(), random);
    const SplitUpload whole = split(upload);
    if (!whole.error.empty()) ++errors;
    ASSERT_EQ(split(upload, every_byte(upload)), whole);
    for (int j = 0; j < 5; ++j) {
      const auto cuts = random_cuts(upload, random);
      ASSERT_EQ(split(upload, cuts), whole) << testing::PrintToString(cuts);
      ASSERT_EQ(split_with_restarts(upload, cuts), whole) << testing::PrintToString(cuts);
    }
  }
  EXPECT_EQ(errors, 0u);
}

// Nothing that is not white space, a line end or a comma lies between two pieces, and
// every piece holds the records that it says.
TEST_P(LargeUploads, ThePiecesCoverEveryRecord) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 30; ++i) {
    const Upload upload = random_upload(GetParam(), random);
    const SplitUpload parts = split(upload);
    RecordReader reader({.format = upload.format,
                         .columns = parts.header.value_or(Strings{"a", "b"}),
                         .record_bytes_max = upload.limits.record_bytes_max});
    const Piece* before = nullptr;
    for (const Piece& piece : parts.pieces) {
      EXPECT_EQ(read_piece(upload, piece, reader)->size(), piece.record_count);
      if (before != nullptr) {
        const std::size_t end = before->offset + before->length;
        const auto between =
            std::string_view(upload.bytes).substr(end, piece.offset - end);
        EXPECT_EQ(between.find_first_not_of(" \r\n,"), std::string_view::npos) << between;
        EXPECT_EQ(piece.first_record, before->first_record + before->record_count);
      }
      before = &piece;
    }
  }
}

constexpr const char* kFormatNames[] = {"Csv", "Ndjson", "Json", "Envelope"};

INSTANTIATE_TEST_SUITE_P(Of, LargeUploads,
                         testing::Values(csv_grammar(), ndjson_grammar(),
                                         json_grammar(false), json_grammar(true)),
                         [](const auto& one) {
                           return std::string(kFormatNames[one.index]);
                         });

}  // namespace
}  // namespace tallyman::for_tests
