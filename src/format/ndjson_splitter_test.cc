#include <gtest/gtest.h>

#include "format/cuts_for_tests.h"

namespace tallyman::for_tests {
namespace {

Upload ndjson(std::string bytes, std::uint64_t record_bytes_max = 1 << 20,
              std::uint64_t piece_bytes_max = 1 << 20) {
  return {ContentType::kNdjson, std::move(bytes), record_bytes_max, piece_bytes_max};
}

TEST(NdjsonSplitter, EndsRecordsAtLineFeeds) {
  EXPECT_EQ(raw_records(ndjson("{}\n 1 \r\n\"a\rb\"\n{}")),
            (Strings{"{}", " 1 ", "\"a\rb\"", "{}"}));
}

TEST(NdjsonSplitter, BlankLinesAreNoRecords) {
  EXPECT_EQ(show_pieces(ndjson("")), Strings{});
  EXPECT_EQ(show_pieces(ndjson("\n\r\n \t\n")), Strings{});
  EXPECT_EQ(show_pieces(ndjson("\n1\n \r\r\n2\n\n")), (Strings{"0+2:1\n \r\r\n2"}));
}

TEST(NdjsonSplitter, DropsAByteOrderMark) {
  EXPECT_EQ(show_pieces(ndjson("\xEF\xBB\xBF{}\n")), Strings{"0+1:{}"});
}

TEST(NdjsonSplitter, ARecordAtItsLimitIsFineAndOneAboveIsTooLarge) {
  EXPECT_EQ(show_pieces(ndjson("12345678\r\n9\n", 8, 8)),
            (Strings{"0+1:12345678", "1+1:9"}));
  EXPECT_EQ(show_pieces(ndjson("1\n123456789\r\n2", 8)),
            (Strings{"0+1:1", "!large 1+1:123456789", "2+1:2"}));
  EXPECT_EQ(show_pieces(ndjson("123456789", 8)), Strings{"!large 0+1:123456789"});
}

TEST(NdjsonSplitter, CutsAndRestartsDoNotMatter) {
  for (const std::uint64_t record_bytes_max : {4, 100}) {
    expect_cuts_do_not_matter(
        ndjson("\xEF\xBB\xBF{}\r\n\r\n \n{\"a\": 1}\n12345\r\n[]\n\r\n1\r",
               record_bytes_max, 1));
  }
}

}  // namespace
}  // namespace tallyman::for_tests
