#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "format/cuts_for_tests.h"

namespace tallyman::for_tests {
namespace {

constexpr std::uint64_t kSmall = 8;

Upload csv(std::string bytes, std::uint64_t record_bytes_max = 1 << 20,
           std::uint64_t piece_bytes_max = 1 << 20) {
  return {ContentType::kCsv, std::move(bytes), record_bytes_max, piece_bytes_max};
}

TEST(CsvSplitter, EndsRecordsAtEveryKindOfLineEnd) {
  EXPECT_EQ(raw_records(csv("h\na\nb\r\nc\rd\r\r\n\ne")),
            (Strings{"a", "b", "c", "d", "e"}));
}

TEST(CsvSplitter, GivesTheCellsOfTheHeader) {
  EXPECT_EQ(split(csv("a,\"b \"\"x\"\"\",,a\n")).header,
            (Strings{"a", "b \"x\"", "", "a"}));
  EXPECT_EQ(split(csv("\n\r\na")).header, (Strings{"a"}));
}

TEST(CsvSplitter, AHeaderAloneHasNoPieces) {
  const SplitUpload parts = split(csv("a,b\n"));
  EXPECT_EQ(parts.error, "");
  EXPECT_TRUE(parts.pieces.empty());
}

TEST(CsvSplitter, RefusesABadHeader) {
  EXPECT_EQ(show_pieces(csv("")), Strings{"ERROR the upload has no header line"});
  EXPECT_EQ(show_pieces(csv("\xEF\xBB\xBF\n")),
            Strings{"ERROR the upload has no header line"});
  EXPECT_EQ(show_pieces(csv("\na\xFF\n1\n")),
            Strings{"ERROR the header line, at byte 1, is not UTF-8"});
  EXPECT_EQ(show_pieces(csv(std::string("a\0b\n", 4))),
            Strings{"ERROR the header line, at byte 0, has a NUL byte"});
  for (const char* bytes : {"a,\"b", "a,\"b\"c\n1,2\n", "\"\n1"}) {
    EXPECT_EQ(
        show_pieces(csv(bytes)),
        Strings{"ERROR the header line, at byte 0, has a quote that is not closed at the "
                "end of its cell; write a quote inside quotes twice"})
        << bytes;
  }
}

TEST(CsvSplitter, TheHeaderHasTheLimitOfARecord) {
  EXPECT_EQ(split(csv("12345678\n", kSmall)).header, Strings{"12345678"});
  EXPECT_EQ(show_pieces(csv("123456789\n", kSmall)),
            Strings{"ERROR the header line, at byte 0, is longer than 8 bytes "
                    "(record_bytes_max); is a quote open?"});
}

// limits::kRecordCellsMax
TEST(CsvSplitter, TheHeaderHasALimitOfCells) {
  Upload at = csv("a,\"b,b\",\n1,2,3\n");
  at.limits.record_cells_max = 3;
  EXPECT_EQ(split(at).header, (Strings{"a", "b,b", ""}));
  Upload above = csv("a,b,c,");
  above.limits.record_cells_max = 3;
  expect_cuts_do_not_matter(above);
  EXPECT_EQ(show_pieces(above),
            Strings{"ERROR the header line, at byte 0, has more than 3 cells "
                    "(record_cells_max); send the columns that the table has"});
  // By default, and at once: nothing has to be held of what follows.
  const std::string commas(limits::kRecordCellsMax - 1, ',');
  EXPECT_EQ(split(csv(commas + "\n")).error, "");
  EXPECT_NE(split(csv(commas + ",")).error, "");
}

TEST(CsvSplitter, DropsAByteOrderMarkAtTheStartAlone) {
  const Upload upload =
      csv("\xEF\xBB\xBFid\n\xEF\xBB\xBF"
          "1\n");
  EXPECT_EQ(split(upload).header, Strings{"id"});
  EXPECT_EQ(raw_records(upload), Strings{"\xEF\xBB\xBF"
                                         "1"});
  EXPECT_EQ(split(csv("\xEF\xBB")).error, "the header line, at byte 0, is not UTF-8");
}

TEST(CsvSplitter, FillsAPieceUpToItsLimits) {
  EXPECT_EQ(show_pieces(csv("h\n123\n5678\n9\n", kSmall, 8)),
            (Strings{"0+2:123\n5678", "2+1:9"}));
  EXPECT_EQ(show_pieces(csv("h\n123\n56789\n", kSmall, 8)),
            (Strings{"0+1:123", "1+1:56789"}));
  Upload upload = csv("h\n1\n2\n3\n");
  upload.limits.piece_records_max = 2;
  EXPECT_EQ(show_pieces(upload), (Strings{"0+2:1\n2", "2+1:3"}));
}

TEST(CsvSplitter, ARecordAtItsLimitIsFineAndOneAboveIsTooLarge) {
  EXPECT_EQ(show_pieces(csv("h\n12345678\n1\n", kSmall, 8)),
            (Strings{"0+1:12345678", "1+1:1"}));
  EXPECT_EQ(show_pieces(csv("h\n123456789\n1\n", kSmall)),
            (Strings{"!large 0+1:123456789", "1+1:1"}));
  EXPECT_EQ(show_pieces(csv("h\n1\n123456789", kSmall)),
            (Strings{"0+1:1", "!large 1+1:123456789"}));
  EXPECT_EQ(show_pieces(csv("h\n\"234567\"\n1\n", kSmall)),
            (Strings{"0+2:\"234567\"\n1"}));
  EXPECT_EQ(show_pieces(csv("h\n\"2345678\"\n1\n", kSmall)),
            (Strings{"!large 0+1:\"2345678\"", "1+1:1"}));
}

// limits::kPieceCellsMax, kPieceRecordsMax
TEST(CsvSplitter, TheCellsOfAPieceAreBoundedByTheColumnsOfTheHeader) {
  Upload upload = csv("a,b,c\n1\n2\n3\n4\n5\n");
  upload.limits.piece_cells_max = 6;
  EXPECT_EQ(show_pieces(upload), (Strings{"0+2:1\n2", "2+2:3\n4", "4+1:5"}));
  expect_cuts_do_not_matter(upload);
  upload.limits.piece_cells_max = 5;
  EXPECT_EQ(show_pieces(upload).size(), 5u);
  upload.limits.piece_cells_max = 2;
  EXPECT_EQ(show_pieces(upload).size(), 5u) << "a piece holds one record at least";

  // By default: what is as narrow as most tables are is cut by its records, and nothing
  // that a client sends takes more than 16 MiB of cells.
  const auto records_of_first_piece = [](std::size_t columns) {
    std::string text(columns - 1, ',');
    for (std::uint32_t i = 0; i <= limits::kPieceRecordsMax; ++i) text += "\n1";
    return split(csv(std::move(text))).pieces.front().record_count;
  };
  EXPECT_EQ(records_of_first_piece(64), limits::kPieceRecordsMax);
  EXPECT_EQ(records_of_first_piece(128), limits::kPieceRecordsMax / 2);
  EXPECT_EQ(records_of_first_piece(1'600), limits::kPieceCellsMax / 1'600);
}

TEST(CsvSplitter, AQuoteThatMakesARecordTooLongEndsItAtItsFirstLineEnd) {
  EXPECT_EQ(show_pieces(csv("h\n\"a\nb\nc\nd\ne\n", kSmall)),
            (Strings{"!large 0+1:\"a", "1+4:b\nc\nd\ne"}));
  EXPECT_EQ(show_pieces(csv("h\n\"\n\",\"b\nc\nd\ne\n", kSmall)),
            (Strings{"!large 0+1:\"\n\",\"b", "1+3:c\nd\ne"}));
}

TEST(CsvSplitter, BehindItsLimitNoQuoteHidesALineEnd) {
  EXPECT_EQ(show_pieces(csv("h\n12345678,\"\nb\n", kSmall)),
            (Strings{"!large 0+1:12345678,\"", "1+1:b"}));
}

TEST(CsvSplitter, AQuoteThatIsNeverClosedEndsAtItsFirstLineEnd) {
  EXPECT_EQ(show_pieces(csv("h\n1\n\"a\nb\nc\n")),
            (Strings{"0+1:1", "!quote 1+1:\"a", "2+2:b\nc"}));
  EXPECT_EQ(show_pieces(csv("h\n1\n\"a")), (Strings{"0+1:1", "!quote 1+1:\"a"}));
  EXPECT_EQ(show_pieces(csv("h\n1,\"a\n2,\"b\"\n3,\"c\n")),
            (Strings{"0+1:1,\"a\n2,\"b\"", "!quote 1+1:3,\"c"}));
}

TEST(CsvSplitter, CountsUnclosedQuotes) {
  Upload upload = csv("h\n\"a\nb\nc\nd\ne\n\"a\nb\nc\nd\ne\n", kSmall);
  upload.limits.unclosed_quotes_max = 2;
  EXPECT_EQ(split(upload).error, "");
  upload.limits.unclosed_quotes_max = 1;
  EXPECT_EQ(
      split(upload).error,
      "more than 1 records open a quote and do not close it, the last at byte 13; is "
      "this CSV with another delimiter or other quotes?");
  expect_cuts_do_not_matter(upload);
}

TEST(CsvSplitter, TextBehindAClosingQuoteBreaksTheRecordToItsLineEnd) {
  EXPECT_EQ(raw_records(csv("a,b\n\"x\"y,\"1\n2\n")), (Strings{"\"x\"y,\"1", "2"}));
}

TEST(CsvSplitter, StaysInError) {
  const auto splitter = make_splitter(csv("").format, {});
  EXPECT_FALSE(splitter->push("\xFF\n").ok());
  EXPECT_FALSE(splitter->push("a\n").ok());
  EXPECT_FALSE(splitter->finish().ok());
}

TEST(CsvSplitter, CutsAndRestartsDoNotMatter) {
  for (const char* bytes :
       {"\xEF\xBB\xBFid,n\r\n1,\"a\r\nb\"\r\n\r2,\"x\"\"y\"\n3,5\" wide\r\n",
        "h\n\"a\nbb\nccccc\nd,\"e\n\nf\n", "a,b\n\"x\"y,\"\n12345678,\"9\n\"\n\"\"\"\"\n",
        "\"h\n\"\n\"\"\n\"1\n2\n3\n4\n5\n6\n\"\n"}) {
    for (const std::uint64_t record_bytes_max : {6, 8, 100}) {
      expect_cuts_do_not_matter(csv(bytes, record_bytes_max, 1));
    }
  }
}

TEST(CsvSplitter, RefusesACheckpointThatIsNone) {
  const InputFormat format = csv("").format;
  for (const char* text :
       {"", "csv1", "csv2 0 0 0 0", "ndjson1 0 0", "csv1 0 0 0", "csv1 0 0 0 x",
        "csv1 0 0 0 0 ", "csv1 9 1 0 1", "csv1 9 1 0 0", "csv1 9 1 0 1 xa",
        "csv1 9 1 0 1 61", "csv1 9 1 0 99999999999 x61", "csv1 -1 0 0 0"}) {
    const auto restored = restore_splitter(format, {}, text);
    ASSERT_FALSE(restored.ok()) << text;
    EXPECT_EQ(restored.error().code, ErrorCode::kUnreadable);
  }
  EXPECT_TRUE(restore_splitter(format, {}, "csv1 0 0 0 0").ok());
}

}  // namespace
}  // namespace tallyman::for_tests
