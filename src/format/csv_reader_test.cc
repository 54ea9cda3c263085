#include <csv.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "format/csv_writer.h"
#include "format/upload_for_tests.h"

namespace tallyman::for_tests {
namespace {

Upload csv(std::string bytes) { return {ContentType::kCsv, std::move(bytes)}; }

// What the words of splitter.h and record_reader.h say, in the fewest lines: the shown
// records of a body without a header, for records of `columns` cells.
Strings by_reference(std::string_view body, std::size_t columns) {
  Strings records;
  std::size_t at = 0;
  while (at < body.size()) {
    if (body[at] == '\n' || body[at] == '\r') {
      ++at;
      continue;
    }
    Strings cells;
    bool broken = false;
    bool more = true;
    while (more) {
      std::string cell;
      if (at < body.size() && body[at] == '"') {
        const std::size_t opened = at++;
        bool closed = false;
        while (at < body.size() && !closed) {
          if (body[at] != '"') {
            cell += body[at++];
          } else if (body.substr(at, 2) == "\"\"") {
            cell += '"';
            at += 2;
          } else {
            closed = true;
            ++at;
          }
        }
        if (!closed) {
          at = std::min(body.find_first_of("\r\n", opened), body.size());
          records.push_back("!MALFORMED_RECORD : a quote is opened and never closed");
          cells.clear();
          break;
        }
        cell = "'" + cell + "'";
        if (at < body.size() &&
            std::string_view(",\r\n").find(body[at]) == std::string::npos) {
          at = std::min(body.find_first_of("\r\n", at), body.size());
          broken = true;
        }
      } else {
        while (at < body.size() &&
               std::string_view(",\r\n").find(body[at]) == std::string::npos) {
          cell += body[at++];
        }
        if (cell.empty()) cell = "NULL";
      }
      cells.push_back(cell);
      more = at < body.size() && body[at] == ',';
      if (more) ++at;
    }
    if (cells.empty()) continue;  // Said already: never closed.
    if (broken) {
      records.push_back("!broken");
    } else if (cells.size() != columns) {
      records.push_back("!MALFORMED_RECORD : " + std::to_string(cells.size()) +
                        " cells, the header has " + std::to_string(columns));
    } else {
      std::string shown;
      for (const std::string& cell : cells)
        shown += (&cell == &cells[0] ? "" : "|") + cell;
      records.push_back(shown);
    }
  }
  return records;
}

Strings with_short_messages(Strings records) {
  for (std::string& record : records) {
    if (record.find("text behind its closing quote") != std::string::npos)
      record = "!broken";
  }
  return records;
}

TEST(CsvReader, ReadsCells) {
  EXPECT_EQ(read(csv("a,b\n1,two\n\"3\",\"f\"\"our\"\n,\"\"\n 5 ,si\"x\n")),
            (Strings{"1|two", "'3'|'f\"our'", "NULL|''", " 5 |si\"x"}));
}

TEST(CsvReader, TakesAnotherDelimiterAndNull) {
  Upload upload = csv("a;b\nNULL;\n\"NULL\";x,y\n");
  upload.format.delimiter = ';';
  upload.format.null_value = "NULL";
  EXPECT_EQ(read(upload), (Strings{"NULL|", "'NULL'|x,y"}));
}

TEST(CsvReader, SaysWhyARecordIsMalformed) {
  const std::string nul("a,b\n1,x\0y\n3,4\n", 14);
  EXPECT_EQ(read(csv(nul)),
            (Strings{"!MALFORMED_RECORD : the record has a NUL byte", "3|4"}));
  EXPECT_EQ(read(csv("a,b\n1,\xC3\n3,4\n")),
            (Strings{"!MALFORMED_RECORD : the record is not UTF-8", "3|4"}));
  EXPECT_EQ(read(csv("a,b\n1\n1,2,3\n3,4\n")),
            (Strings{"!MALFORMED_RECORD : 1 cells, the header has 2",
                     "!MALFORMED_RECORD : 3 cells, the header has 2", "3|4"}));
  EXPECT_EQ(
      read(csv("a,b\n1,\"x\"y\n3,4\n1,2,\"x\"y\n")),
      (Strings{"!MALFORMED_RECORD b: cell 2 has text behind its closing quote; a quote "
               "inside quotes is written twice",
               "3|4",
               "!MALFORMED_RECORD : cell 3 has text behind its closing quote; a quote "
               "inside quotes is written twice"}));
}

TEST(CsvReader, SaysThatARecordIsTooLarge) {
  EXPECT_EQ(
      read({ContentType::kCsv, "a\n12345\n1\n", 4}),
      (Strings{"!RECORD_TOO_LARGE : the record is longer than 4 bytes (record_bytes_max)",
               "1"}));
  EXPECT_EQ(
      read({ContentType::kCsv, "a\n\"1\n2\n3\n", 4}),
      (Strings{
          "!RECORD_TOO_LARGE : a quote that is opened and not closed makes the record "
          "longer than 4 bytes (record_bytes_max)",
          "2", "3"}));
}

TEST(CsvReader, KeepsTheOriginalText) {
  EXPECT_EQ(raw_records(csv("a,b\r\n\"1\",\"x\"\"\r\n\"\r\n3\r\n")),
            (Strings{"\"1\",\"x\"\"\r\n\"", "3"}));
  EXPECT_EQ(raw_records({ContentType::kCsv, "a\n12345\n1\n", 4}), (Strings{"1234", "1"}));
}

// Every body of up to 7 of the bytes that matter.
TEST(CsvReader, ReadsEverySmallBodyAsTheReferenceDoes) {
  constexpr std::string_view kAlphabet = "a,\"\r\n";
  Strings bodies{""};
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const std::string body = bodies[i];
    if (body.size() < 7) {
      for (const char byte : kAlphabet) bodies.push_back(body + byte);
    }
    ASSERT_EQ(with_short_messages(read(csv("x,y\n" + body))), by_reference(body, 2))
        << body;
  }
}

TEST(CsvReader, ReadsRandomBodiesAsTheReferenceDoes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const std::string_view alphabet :
       {"aaaaaaaa,\n", "aaaaaaaaaa,,\"\"\n", "a,\"\"\"\r\n"}) {
    for (int i = 0; i < 500; ++i) {
      std::string body(random() % 500, ' ');
      for (char& byte : body) byte = alphabet[random() % alphabet.size()];
      ASSERT_EQ(with_short_messages(read(csv("x,y\n" + body))), by_reference(body, 2))
          << body;
    }
  }
}

struct LibcsvRecords {
  std::vector<Strings> records;
  Strings cells;
};

std::vector<Strings> by_libcsv(const std::string& bytes) {
  csv_parser parser;
  EXPECT_EQ(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI), 0);
  csv_set_space_func(&parser, [](unsigned char) { return 0; });  // Spaces are text.
  LibcsvRecords out;
  const auto end_cell = [](void* text, std::size_t size, void* self) {
    static_cast<LibcsvRecords*>(self)->cells.emplace_back(static_cast<char*>(text), size);
  };
  const auto end_record = [](int, void* self) {
    auto* const all = static_cast<LibcsvRecords*>(self);
    all->records.push_back(std::exchange(all->cells, {}));
  };
  EXPECT_EQ(csv_parse(&parser, bytes.data(), bytes.size(), end_cell, end_record, &out),
            bytes.size());
  EXPECT_EQ(csv_fini(&parser, end_cell, end_record, &out), 0);
  csv_free(&parser);
  return out.records;
}

// On what both call good: cells as append_csv_cell() writes them, at line ends of all
// kinds. (libcsv, strict, refuses a quote in a cell that does not begin with one.)
TEST(CsvReader, ReadsWhatIsWrittenAsLibcsvDoes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::string_view kAlphabet = "abc ,;\"\r\n\t'";
  constexpr std::string_view kLineEnds[] = {"\n", "\r\n", "\r", "\n\n"};
  for (int file = 0; file < 1000; ++file) {
    const std::size_t columns = 1 + random() % 5;
    std::string bytes;
    std::vector<Strings> records(1 + random() % 20);
    for (Strings& record : records) {
      for (std::size_t i = 0; i < columns; ++i) {
        std::string text(random() % 12, ' ');
        for (char& byte : text) byte = kAlphabet[random() % kAlphabet.size()];
        if (text.empty()) text = "-";
        if (i > 0) bytes += ',';
        append_csv_cell(bytes, text, ',');
        record.push_back(text);
      }
      bytes += kLineEnds[random() % std::size(kLineEnds)];
    }
    ASSERT_EQ(by_libcsv(bytes), records);

    const Upload upload = csv(bytes);
    const SplitUpload parts = split(upload);
    ASSERT_EQ(parts.header, records[0]);
    RecordReader reader({.format = upload.format, .columns = records[0]});
    std::size_t next = 1;
    for (const Piece& piece : parts.pieces) {
      const auto batch = read_piece(upload, piece, reader);
      for (std::size_t i = 0; i < batch->size(); ++i, ++next) {
        ASSERT_EQ(batch->fault(i), nullptr);
        for (std::size_t column = 0; column < columns; ++column) {
          ASSERT_EQ(batch->record(i)[column].text(), records[next][column]);
        }
      }
    }
    ASSERT_EQ(next, records.size());
  }
}

TEST(CsvReader, SeesThatThePayloadWasChanged) {
  const Upload upload = csv("a,b\n1,2\n3,4\n");
  for (const std::uint32_t record_count : {1u, 3u}) {
    RecordReader reader({.format = upload.format, .columns = {"a", "b"}});
    auto bytes = std::make_unique<char[]>(7 + RecordBatch::kPadding);
    std::memcpy(bytes.get(), "1,2\n3,4", 7);
    const auto batch = reader.read(
        {.offset = 4, .length = 7, .record_count = record_count}, std::move(bytes));
    ASSERT_FALSE(batch.ok());
    EXPECT_EQ(batch.error().code, ErrorCode::kInternal);
  }
}

}  // namespace
}  // namespace tallyman::for_tests
