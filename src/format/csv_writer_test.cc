#include "format/csv_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "format/csv_text.h"

namespace tallyman {
namespace {

std::string cell(std::string_view text, char delimiter = ',') {
  std::string out;
  append_csv_cell(out, text, delimiter);
  return out;
}

std::string safe_cell(std::string_view text) {
  std::string out;
  append_csv_cell_safe(out, text, ',');
  return out;
}

TEST(CsvWriter, QuotesWhatNeedsIt) {
  EXPECT_EQ(cell(""), "");
  EXPECT_EQ(cell(" a b "), " a b ");
  EXPECT_EQ(cell("a,b"), "\"a,b\"");
  EXPECT_EQ(cell("a,b", ';'), "a,b");
  EXPECT_EQ(cell("a;b", ';'), "\"a;b\"");
  EXPECT_EQ(cell("\""), "\"\"\"\"");
  EXPECT_EQ(cell("a\"\"b"), "\"a\"\"\"\"b\"");
  EXPECT_EQ(cell("a\nb"), "\"a\nb\"");
  EXPECT_EQ(cell("a\r"), "\"a\r\"");
}

TEST(CsvWriter, DefusesFormulasAndLeavesNumbers) {
  EXPECT_EQ(safe_cell("=1+1"), "'=1+1");
  EXPECT_EQ(safe_cell("+1"), "'+1");
  EXPECT_EQ(safe_cell("-a"), "'-a");
  EXPECT_EQ(safe_cell("-12.5-1"), "'-12.5-1");
  EXPECT_EQ(safe_cell("@SUM(A1)"), "'@SUM(A1)");
  EXPECT_EQ(safe_cell("\t=1"), "'\t=1");
  EXPECT_EQ(safe_cell("\r=1"), "\"'\r=1\"");
  EXPECT_EQ(safe_cell("=A1,B1"), "\"'=A1,B1\"");
  EXPECT_EQ(safe_cell("-12.5"), "-12.5");
  EXPECT_EQ(safe_cell("-1e3"), "-1e3");
  EXPECT_EQ(safe_cell("a=1"), "a=1");
  EXPECT_EQ(safe_cell(""), "");
}

// Every text of up to four of the bytes that matter, alone and beside another cell.
TEST(CsvWriter, WhatIsWrittenReadsBack) {
  constexpr std::string_view kAlphabet = "a,\"\r\n";
  std::vector<std::string> texts{""};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() == 4) break;
    for (const char byte : kAlphabet) texts.push_back(texts[i] + byte);
  }
  ASSERT_EQ(texts.size(), 1u + 5 + 25 + 125 + 625);
  std::vector<CsvText> cells;
  for (const std::string& text : texts) {
    std::string record = cell(text) + ',';
    append_csv_quoted(record, text);
    ASSERT_TRUE(split_csv_record(record, ',', cells));
    ASSERT_EQ(cells.size(), 2u) << record;
    EXPECT_EQ(cells[0].text, text);
    EXPECT_EQ(cells[1], (CsvText{text, true}));
  }
}

TEST(CsvText, SaysThatACellIsBroken) {
  std::vector<CsvText> cells;
  for (const char* record :
       {"\"", "\"a", "\"a\"b", "\"a\"\"", "\"a\"b\"", "1,\"a\" ,2"}) {
    EXPECT_FALSE(split_csv_record(record, ',', cells)) << record;
  }
  EXPECT_TRUE(split_csv_record("5\" wide,a\"b\"", ',', cells));
  EXPECT_EQ(cells, (std::vector<CsvText>{{"5\" wide", false}, {"a\"b\"", false}}));
  EXPECT_FALSE(split_csv_record("1,\"a\"b,2", ',', cells));
  EXPECT_EQ(cells, (std::vector<CsvText>{{"1", false}}));
}

}  // namespace
}  // namespace tallyman
