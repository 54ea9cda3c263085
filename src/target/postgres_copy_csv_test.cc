// Generated CSV, read by us and by PostgreSQL's own COPY.
//
// The common subset: files of one line end, without empty lines, where a quote stands
// only around a whole cell. Empty cells are NULL for both of us, and "" the empty text;
// quoted cells may hold any line end. Files that we read without a fault are put behind
// each other into few COPYs; each of the others is a COPY of its own, which has to fail.
// What is left out, because there are two readings of it, is a golden case each
// (CopyCsvDifferenceTest).
//
// TALLYMAN_DIFFERENTIAL_FILES: how many files are sampled; TALLYMAN_SEED replays them.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "db/test_postgres.h"
#include "format/upload_for_tests.h"

namespace tallyman {
namespace {

using Row = std::vector<std::optional<std::string>>;  // Nothing: NULL.
using Rows = std::vector<Row>;

constexpr std::size_t kColumnsMax = 5;
constexpr std::size_t kFilesAtOnce = 500;

// What we make of a file without its header line; nothing: a record of it has a fault.
std::optional<Rows> read_ours(const std::string& bytes) {
  const for_tests::Upload upload(ContentType::kCsv, bytes);
  const auto parts = for_tests::split(upload);
  if (!parts.error.empty()) return std::nullopt;
  RecordReader reader({.format = upload.format, .columns = *parts.header});
  Rows rows;
  for (const Piece& piece : parts.pieces) {
    if (piece.kind != PieceKind::kRecords) return std::nullopt;
    const auto batch = for_tests::read_piece(upload, piece, reader);
    for (std::size_t i = 0; i < batch->size(); ++i) {
      if (batch->fault(i) != nullptr) return std::nullopt;
      Row& row = rows.emplace_back();
      for (const Cell& cell : batch->record(i)) {
        row.push_back(cell.kind == CellKind::kNull
                          ? std::nullopt
                          : std::optional<std::string>(cell.text()));
      }
    }
  }
  return rows;
}

class CopyCsv {
 public:
  CopyCsv()
      : connection_(db::PostgresConnection::open({.url = database_.url()}).value()) {
    for (std::size_t columns = 1; columns <= kColumnsMax; ++columns) {
      std::string names;
      for (std::size_t i = 1; i <= columns; ++i) {
        names += (i > 1 ? ", c" : "c") + std::to_string(i);
      }
      names_[columns] = names;
      std::string definition = "CREATE TABLE t" + std::to_string(columns) +
                               " (n bigint GENERATED ALWAYS AS IDENTITY";
      for (std::size_t i = 1; i <= columns; ++i) {
        definition += ", c" + std::to_string(i) + " text";
      }
      CHECK(connection_->exec(definition + ")").ok());
    }
  }

  // Lines without a header, in order; nothing where COPY refuses them.
  std::optional<Rows> read(std::string_view bytes, std::size_t columns) {
    const std::string table = "t" + std::to_string(columns);
    CHECK(connection_->exec("BEGIN").ok());
    const auto rows = copied(bytes, table, columns);
    CHECK(connection_->exec("ROLLBACK").ok());
    return rows;
  }

 private:
  std::optional<Rows> copied(std::string_view bytes, const std::string& table,
                             std::size_t columns) {
    auto begun = connection_->copy_in("COPY " + table + " (" + names_[columns] +
                                      ") FROM STDIN (FORMAT csv)");
    CHECK(begun.ok());
    auto copy = std::move(begun).value();
    (void)copy.write(bytes).ok();
    if (!copy.finish().ok()) return std::nullopt;
    const auto found =
        connection_->exec("SELECT " + names_[columns] + " FROM " + table + " ORDER BY n");
    CHECK(found.ok());
    Rows rows;
    for (int i = 0; i < found.value().rows(); ++i) {
      Row& row = rows.emplace_back();
      for (int j = 0; j < static_cast<int>(columns); ++j) {
        row.push_back(found.value().is_null(i, j)
                          ? std::nullopt
                          : std::optional<std::string>(found.value().text(i, j)));
      }
    }
    return rows;
  }

  db::TemporaryPostgres database_;
  std::unique_ptr<db::PostgresConnection> connection_;
  std::map<std::size_t, std::string> names_;
};

struct File {
  std::size_t columns = 0;
  std::string_view line_end;
  std::string header;  // Plain names.
  std::string lines;   // Each with its line end.

  std::string bytes() const { return header + std::string(line_end) + lines; }
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  File file() {
    File file;
    file.columns = 1 + below(kColumnsMax);
    file.line_end = pick(kLineEnds);
    for (std::size_t i = 0; i < file.columns; ++i) {
      file.header += (i > 0 ? ",h" : "h") + std::to_string(i);
    }
    for (std::size_t records = below(12); records > 0; --records) {
      std::string line;
      const std::size_t cells = one_in(60) ? 1 + below(kColumnsMax + 1) : file.columns;
      for (std::size_t i = 0; i < cells; ++i) {
        if (i > 0) line += ',';
        line += cell();
      }
      if (line.empty()) line = "\"\"";  // An empty line has two readings.
      file.lines += line + std::string(file.line_end);
    }
    // Never closed. Further up it would put other quotes into the midst of cells.
    if (one_in(20)) file.lines += "\"" + words();
    return file;
  }

 private:
  static constexpr std::array<std::string_view, 3> kLineEnds = {"\n", "\r\n", "\r"};
  static constexpr std::array<std::string_view, 14> kWords = {
      "a",    "12.50", " ",  "x y", "é", "日本", "😀",
      "NULL", "'",     "\\", "\\N", "0", "\t",   "\xC2\xA0"};
  static constexpr std::array<std::string_view, 6> kQuoted = {"\"\"", "\n", "\r\n",
                                                              "\r",   ",",  "\"\"\"\""};

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

  std::string cell() {
    if (one_in(12)) return "";
    if (!one_in(3)) return words();
    std::string text = "\"";
    for (std::size_t parts = below(4); parts > 0; --parts) {
      text += words();
      text += pick(kQuoted);
    }
    return text + words() + "\"";
  }

  std::mt19937_64 random_;
};

// Files that we read without a fault, of one number of columns and one line end.
class Together {
 public:
  void add(const File& file, const Rows& rows) {
    lines_.push_back(file.lines);
    bytes_ += file.lines;
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    columns_ = file.columns;
    ++files_;
  }
  bool is_full() const { return files_ == kFilesAtOnce; }

  void compare(CopyCsv& copy) {
    const auto theirs = copy.read(bytes_, columns_);
    for (const std::string& lines : lines_) {  // Which of them it is.
      if (!theirs && !copy.read(lines, columns_)) FAIL() << testing::PrintToString(lines);
    }
    if (!rows_.empty()) {
      ASSERT_EQ(*theirs, rows_);
    }
    *this = {};
  }

 private:
  std::vector<std::string> lines_;
  std::string bytes_;
  Rows rows_;
  std::size_t columns_ = 1;
  std::size_t files_ = 0;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(CopyCsvDifferentialTest, GeneratedFilesReadAsCopyReadsThem) {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const auto seed =
      number_from_environment("TALLYMAN_SEED", static_cast<std::uint64_t>(now));
  const auto files = number_from_environment("TALLYMAN_DIFFERENTIAL_FILES", 100'000);
  SCOPED_TRACE("TALLYMAN_SEED=" + std::to_string(seed));
  Generator generator(seed);
  CopyCsv copy;
  std::map<std::pair<std::size_t, std::string_view>, Together> together;
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < files && !testing::Test::HasFailure(); ++i) {
    const File file = generator.file();
    const auto ours = read_ours(file.bytes());
    if (ours) {
      Together& others = together[{file.columns, file.line_end}];
      others.add(file, *ours);
      if (others.is_full()) others.compare(copy);
    } else {
      ++refused;
      EXPECT_FALSE(copy.read(file.lines, file.columns))
          << testing::PrintToString(file.lines);
    }
  }
  for (auto& [_, rest] : together) rest.compare(copy);
  if (files >= 1000) {
    EXPECT_GT(refused, files / 100);
  }
}

// --- The differences, one by one ------------------------------------------------------

struct Difference {
  const char* name;
  const char* lines;
  std::optional<Rows> ours;
  std::optional<Rows> theirs;
};

TEST(CopyCsvDifferenceTest, EachIsKnown) {
  const Difference differences[] = {
      {"A quote inside a cell: text for us, COPY goes into quotes", "a\"b,c\"d,e\n",
       std::nullopt, Rows{{"ab,cd", "e"}}},
      {"A pair of them: text for us, COPY drops it", "a\"b\"c,d\n",
       Rows{{"a\"b\"c", "d"}}, Rows{{"abc", "d"}}},
      {"Text behind a closing quote: a fault for us, COPY appends it", "\"a\"b,c\n",
       std::nullopt, Rows{{"ab", "c"}}},
      {"An empty line: none for us, a record for COPY", "a,b\n\nc,d\n",
       Rows{{"a", "b"}, {"c", "d"}}, std::nullopt},
      {"Mixed line ends: all of them for us, a fault for COPY", "a,b\nc,d\r\n",
       Rows{{"a", "b"}, {"c", "d"}}, std::nullopt},
      {"\\. alone on its line: the end for COPY", "a,b\n\\.\nc,d\n", std::nullopt,
       Rows{{"a", "b"}}}};
  CopyCsv copy;
  for (const Difference& difference : differences) {
    EXPECT_EQ(read_ours(std::string("h,i\n") + difference.lines), difference.ours)
        << difference.name;
    EXPECT_EQ(copy.read(difference.lines, 2), difference.theirs) << difference.name;
  }
}

}  // namespace
}  // namespace tallyman
