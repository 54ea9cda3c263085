// Generated CSV, read by us and by libcsv 3.
//
// The common subset: every file that libcsv reads in its strict mode, and every one that
// it reads in its lenient mode and we without a fault of syntax (strict mode refuses a
// quote inside a cell without quotes, which both of us take for text). libcsv trims white
// space around cells, which RFC 4180 does not: that is turned off. Both take LF, CR and
// CR LF as line ends and skip empty lines. Of every other file what comes before its
// first fault is compared. What is left out, because there are two readings of it, is a
// golden case each (CsvDifferenceTest):
//   - text behind a closing quote: we call the record broken, libcsv takes the quote for
//     text and stays in quotes;
//   - a quote that is never closed: we end the record at its first line end, libcsv takes
//     the rest of the file for its cell;
//   - a byte order mark: we drop it, libcsv takes it for text;
//   - NUL bytes and bytes that are not UTF-8: a fault of the record for us, text for
//     libcsv;
//   - a record that has not as many cells as the header: a fault of the record for us,
//     which names both numbers; libcsv knows no header. (Its cells are compared.)
//   - a record past record_bytes_max: libcsv has no such limit.
//
// TALLYMAN_DIFFERENTIAL_FILES: how many files are sampled; TALLYMAN_SEED replays them.
#include <csv.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "format/csv_text.h"
#include "format/upload_for_tests.h"

namespace tallyman::for_tests {
namespace {

using Row = std::vector<std::optional<std::string>>;  // Nothing: NULL, an empty cell.
using Rows = std::vector<Row>;

class Libcsv {
 public:
  Libcsv(char delimiter, bool strict) {
    const int options = CSV_EMPTY_IS_NULL | (strict ? CSV_STRICT | CSV_STRICT_FINI : 0);
    CHECK(csv_init(&parser_, static_cast<unsigned char>(options)) == 0);
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
    csv_set_space_func(&parser_, [](unsigned char) { return 0; });
  }
  Libcsv(const Libcsv&) = delete;
  Libcsv& operator=(const Libcsv&) = delete;
  ~Libcsv() { csv_free(&parser_); }

  // Nothing where it does not take the file.
  std::optional<Rows> read(std::string_view bytes) {
    rows_.clear();
    row_.clear();
    const bool taken = csv_parse(&parser_, bytes.data(), bytes.size(), add_cell, end_row,
                                 this) == bytes.size() &&
                       csv_fini(&parser_, add_cell, end_row, this) == 0;
    if (!taken) return std::nullopt;
    return rows_;
  }

 private:
  static void add_cell(void* text, std::size_t size, void* self) {
    auto& row = static_cast<Libcsv*>(self)->row_;
    if (text == nullptr) {
      row.emplace_back();
    } else {
      row.emplace_back(std::in_place, static_cast<const char*>(text), size);
    }
  }
  static void end_row(int, void* self) {
    auto* const reader = static_cast<Libcsv*>(self);
    reader->rows_.push_back(std::move(reader->row_));
    reader->row_.clear();
  }

  csv_parser parser_;
  Rows rows_;
  Row row_;
};

std::optional<Rows> libcsv(std::string_view bytes, char delimiter, bool strict) {
  return Libcsv(delimiter, strict).read(bytes);
}

// What we make of a file: its rows, the header first, or the first fault of syntax.
struct Ours {
  Rows rows;
  std::string fault;
};

std::optional<Row> cells_of(std::string_view raw, char delimiter) {
  std::vector<CsvText> cells;
  if (!split_csv_record(raw, delimiter, cells)) return std::nullopt;
  Row row;
  for (CsvText& cell : cells) {
    const bool is_null = cell.text.empty() && !cell.quoted;
    row.push_back(is_null ? std::nullopt : std::optional(std::move(cell.text)));
  }
  return row;
}

Row cells_of(const RecordBatch& batch, std::size_t record) {
  Row row;
  for (const Cell& cell : batch.record(record)) {
    const bool is_null = cell.kind == CellKind::kNull;
    row.push_back(is_null ? std::nullopt : std::optional<std::string>(cell.text()));
  }
  return row;
}

void read_record(const RecordBatch& batch, std::size_t record, char delimiter,
                 std::size_t columns, Ours& ours) {
  const RecordError* const fault = batch.fault(record);
  const auto row = cells_of(batch.raw(record), delimiter);
  if (!row) {
    ASSERT_NE(fault, nullptr);
    ours.fault = fault->message;
    return;
  }
  ours.rows.push_back(*row);
  if (row->size() == columns) {
    ASSERT_EQ(fault, nullptr) << fault->message;
    ASSERT_EQ(cells_of(batch, record), *row);
  } else {
    ASSERT_NE(fault, nullptr);
    ASSERT_EQ(fault->message, std::to_string(row->size()) + " cells, the header has " +
                                  std::to_string(columns));
  }
}

Ours read_ours(const Upload& upload) {
  Ours ours;
  const SplitUpload parts = split(upload);
  if (!parts.error.empty()) {
    ours.fault = parts.error;
    return ours;
  }
  ours.rows.emplace_back(parts.header->begin(), parts.header->end());
  RecordReader reader({.format = upload.format, .columns = *parts.header});
  for (const Piece& piece : parts.pieces) {
    if (piece.kind != PieceKind::kRecords) {
      ours.fault = "a quote is never closed";
      return ours;
    }
    const auto batch = read_piece(upload, piece, reader);
    for (std::size_t i = 0; i < batch->size() && ours.fault.empty(); ++i) {
      read_record(*batch, i, upload.format.delimiter, parts.header->size(), ours);
    }
  }
  return ours;
}

// A header has texts alone.
Rows with_plain_header(Rows rows) {
  if (rows.empty()) return rows;
  for (auto& cell : rows[0]) cell = cell.value_or("");
  return rows;
}

enum class Reading { kSame, kOutside };

// REQUIRES: `bytes` is UTF-8 without NUL and without a byte order mark.
Reading compare(std::string_view bytes, char delimiter) {
  Upload upload(ContentType::kCsv, std::string(bytes));
  upload.format.delimiter = delimiter;
  const Ours ours = read_ours(upload);
  const auto strict = libcsv(bytes, delimiter, true);
  if (strict && strict->empty()) {
    EXPECT_EQ(ours.fault, "the upload has no header line");
    return Reading::kSame;
  }
  if (strict) {
    EXPECT_EQ(ours.fault, "");
    EXPECT_EQ(ours.rows, with_plain_header(*strict));
    return Reading::kSame;
  }
  const Rows lenient =
      with_plain_header(libcsv(bytes, delimiter, false).value_or(Rows()));
  if (ours.fault.empty()) {
    EXPECT_EQ(ours.rows, lenient);
    return Reading::kSame;
  }
  // What comes before the fault has one reading.
  EXPECT_TRUE(lenient.size() >= ours.rows.size() &&
              std::equal(ours.rows.begin(), ours.rows.end(), lenient.begin()));
  return Reading::kOutside;
}

// All texts of `length` over `alphabet`.
template <class Visit>
void enumerate(std::string_view alphabet, std::size_t length, const Visit& visit) {
  std::vector<std::size_t> letters(length, 0);
  std::string text(length, alphabet[0]);
  while (true) {
    visit(text);
    std::size_t i = 0;
    while (i < length && ++letters[i] == alphabet.size()) letters[i++] = 0;
    if (i == length) return;
    for (std::size_t j = 0; j <= i; ++j) text[j] = alphabet[letters[j]];
  }
}

TEST(CsvDifferentialTest, EveryShortFileReadsAsLibcsvReadsIt) {
  std::size_t files = 0;
  std::size_t same = 0;
  for (std::size_t length = 0; length <= 7; ++length) {
    enumerate("a,\"\n\r", length, [&](const std::string& bytes) {
      if (HasFailure()) return;  // The first one says enough.
      ++files;
      if (compare(bytes, ',') == Reading::kSame) ++same;
      EXPECT_FALSE(HasFailure()) << testing::PrintToString(bytes);
    });
  }
  EXPECT_EQ(files, 97'656u);
  // Two readings are rare enough: the comparison means something.
  EXPECT_GT(same, files / 2);
}

// Files as people and programs write them, and as neither should.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  char delimiter() { return ",;\t|"[below(4)]; }

  std::string file(char delimiter) {
    line_ends_ = pick(kLineEnds);
    const bool mixed = one_in(4);
    const std::size_t columns = 1 + below(6);
    std::string bytes;
    for (std::size_t records = below(12) + 1; records > 0; --records) {
      const std::size_t cells = one_in(16) ? 1 + below(8) : columns;
      for (std::size_t i = 0; i < cells; ++i) {
        if (i > 0) bytes += delimiter;
        add_cell(bytes, delimiter);
      }
      if (records == 1 && one_in(3)) break;
      bytes += mixed ? pick(kLineEnds) : line_ends_;
      while (one_in(12)) bytes += mixed ? pick(kLineEnds) : line_ends_;
    }
    return bytes;
  }

 private:
  static constexpr std::array<std::string_view, 3> kLineEnds = {"\n", "\r\n", "\r"};
  static constexpr std::array<std::string_view, 12> kWords = {
      "a", "12.50", " ", "x y", "é", "日本", "😀", "NULL", "'", "\\", "0", "\xC2\xA0"};

  std::size_t below(std::size_t end) { return random_() % end; }
  bool one_in(std::size_t times) { return below(times) == 0; }
  template <std::size_t kSize>
  std::string_view pick(const std::array<std::string_view, kSize>& choices) {
    return choices[below(kSize)];
  }

  std::string words() {
    std::string text;
    for (std::size_t count = one_in(40) ? below(400) : below(4); count > 0; --count) {
      text += pick(kWords);
    }
    return text;
  }

  void add_cell(std::string& bytes, char delimiter) {
    switch (below(24)) {
      case 0:  // Empty.
      case 1: return;
      case 2: bytes += "\"\""; return;
      case 3: bytes += words() + "x\"" + words(); return;  // A quote as text.
      case 4:
        if (one_in(16)) bytes += '"';  // Not closed, or text behind a closing quote.
        bytes += words();
        return;
      default: break;
    }
    if (!one_in(3)) {
      bytes += words();
      return;
    }
    bytes += '"';
    for (std::size_t parts = below(4); parts > 0; --parts) {
      bytes += words();
      const std::string_view special[] = {"\"\"", "\n", "\r\n", "\r", {&delimiter, 1}};
      bytes += special[below(std::size(special))];
    }
    bytes += words() + "\"";
  }

  std::mt19937_64 random_;
  std::string_view line_ends_;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(CsvDifferentialTest, GeneratedFilesReadAsLibcsvReadsThem) {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const std::uint64_t seed =
      number_from_environment("TALLYMAN_SEED", static_cast<std::uint64_t>(now));
  const std::uint64_t files =
      number_from_environment("TALLYMAN_DIFFERENTIAL_FILES", 100'000);
  SCOPED_TRACE("TALLYMAN_SEED=" + std::to_string(seed));
  Generator generator(seed);
  std::uint64_t same = 0;
  for (std::uint64_t i = 0; i < files; ++i) {
    const char delimiter = generator.delimiter();
    const std::string bytes = generator.file(delimiter);
    if (compare(bytes, delimiter) == Reading::kSame) ++same;
    ASSERT_FALSE(HasFailure()) << "file " << i << ": " << testing::PrintToString(bytes);
  }
  EXPECT_GT(same, files / 2);
}

// --- The differences, one by one
// --------------------------------------------------------

Strings ours(std::string bytes) { return read({ContentType::kCsv, std::move(bytes)}); }

TEST(CsvDifferenceTest, TextBehindAClosingQuote) {
  const std::string bytes = "h,i\n\"a\"b,c\nd,e\n";
  EXPECT_EQ(ours(bytes),
            (Strings{"!MALFORMED_RECORD h: cell 1 has text behind its closing quote; a "
                     "quote inside quotes is written twice",
                     "d|e"}));
  EXPECT_EQ(libcsv(bytes, ',', true), std::nullopt);
  EXPECT_EQ(libcsv(bytes, ',', false), (Rows{{"h", "i"}, {"a\"b,c\nd,e\n"}}));
}

TEST(CsvDifferenceTest, AQuoteThatIsNeverClosed) {
  const std::string bytes = "h,i\n1,\"a\n2,b\n";
  EXPECT_EQ(ours(bytes),
            (Strings{"!MALFORMED_RECORD : a quote is opened and never closed", "2|b"}));
  EXPECT_EQ(libcsv(bytes, ',', true), std::nullopt);
  EXPECT_EQ(libcsv(bytes, ',', false), (Rows{{"h", "i"}, {"1", "a\n2,b\n"}}));
}

TEST(CsvDifferenceTest, AByteOrderMark) {
  const std::string bytes = "\xEF\xBB\xBFh\n1\n";
  EXPECT_EQ(split({ContentType::kCsv, bytes}).header, Strings{"h"});
  EXPECT_EQ(libcsv(bytes, ',', true), (Rows{{"\xEF\xBB\xBFh"}, {"1"}}));
}

TEST(CsvDifferenceTest, AMarkBeforeAQuote) {
  const std::string bytes = "\xEF\xBB\xBF\"h,i\"\n1\n";
  EXPECT_EQ(split({ContentType::kCsv, bytes}).header, Strings{"h,i"});
  EXPECT_EQ(libcsv(bytes, ',', true), std::nullopt);
}

TEST(CsvDifferenceTest, BytesThatAreNoText) {
  const std::string bytes("h\na\0b\nc\xFF\nd\n", 11);
  EXPECT_EQ(ours(bytes), (Strings{"!MALFORMED_RECORD : the record has a NUL byte",
                                  "!MALFORMED_RECORD : the record is not UTF-8", "d"}));
  EXPECT_EQ(libcsv(bytes, ',', true),
            (Rows{{"h"}, {std::string("a\0b", 3)}, {"c\xFF"}, {"d"}}));
}

TEST(CsvDifferenceTest, CellsThatTheHeaderDoesNotHave) {
  const std::string bytes = "h,i\n1\n2,b,c\n3,\n";
  EXPECT_EQ(ours(bytes),
            (Strings{"!MALFORMED_RECORD : 1 cells, the header has 2",
                     "!MALFORMED_RECORD : 3 cells, the header has 2", "3|NULL"}));
  EXPECT_EQ(libcsv(bytes, ',', true),
            (Rows{{"h", "i"}, {"1"}, {"2", "b", "c"}, {"3", std::nullopt}}));
}

TEST(CsvDifferenceTest, ARecordPastItsLimit) {
  const std::string bytes = "h\n123456789\n1\n";
  EXPECT_EQ(show_pieces({ContentType::kCsv, bytes, 8}),
            (Strings{"!large 0+1:123456789", "1+1:1"}));
  EXPECT_EQ(libcsv(bytes, ',', true), (Rows{{"h"}, {"123456789"}, {"1"}}));
}

}  // namespace
}  // namespace tallyman::for_tests
