#include "format/json_record_writer.h"

#include <gtest/gtest.h>

#include "format/upload_for_tests.h"

namespace tallyman::for_tests {
namespace {

// The records of an upload, each written as JSON.
std::vector<std::string> rewritten(const Upload& upload,
                                   std::vector<std::string> columns = {}) {
  const SplitUpload parts = split(upload);
  columns = parts.header.value_or(columns);
  RecordReader reader({.format = upload.format, .columns = columns});
  std::vector<std::string> records;
  for (const Piece& piece : parts.pieces) {
    const auto batch = read_piece(upload, piece, reader);
    for (std::size_t i = 0; i < batch->size(); ++i) {
      append_json_record(records.emplace_back(), columns, batch->record(i));
    }
  }
  return records;
}

TEST(JsonRecordWriter, WritesCsvCellsAsTextOrNull) {
  EXPECT_EQ(
      rewritten({ContentType::kCsv, "a,\"b\"\"\"\n1,\"x\ny\"\n,\"\"\n"}),
      (std::vector<std::string>{R"({"a":"1","b\"":"x\ny"})", R"({"a":null,"b\"":""})"}));
}

TEST(JsonRecordWriter, KeepsWhatJsonHad) {
  const Upload upload{ContentType::kJson,
                      "[{\"b\": 1.50, \"a\": \"\\u00e9\\n\"}, {}, "
                      "{\"a\": [1,\r\n{\"x\": \"\\n\"}], \"b\": true}]"};
  EXPECT_EQ(rewritten(upload, {"a", "b"}),
            (std::vector<std::string>{"{\"a\":\"\xC3\xA9\\n\",\"b\":1.50}", "{}",
                                      "{\"a\":[1,  {\"x\": \"\\n\"}],\"b\":true}"}));
}

}  // namespace
}  // namespace tallyman::for_tests
