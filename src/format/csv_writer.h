// Cells of CSV, written (RFC 4180): quotes where the text needs them.
//
//   append_csv_cell(out, "1", ',');          // 1
//   out += ',';
//   append_csv_cell(out, "a \"b\"", ',');    // "a ""b"""
//   out += "\r\n";
//
// What is written reads back as the same text (csv_text.h, CsvReader). Whether an empty
// cell is NULL or the empty text is for the caller to say: append_csv_quoted().
//
// Threads: free functions.
#pragma once

#include <string>
#include <string_view>

namespace tallyman {

// In quotes where it holds the delimiter, a quote, CR or LF.
void append_csv_cell(std::string& out, std::string_view text, char delimiter);

// In quotes, whatever it holds.
void append_csv_quoted(std::string& out, std::string_view text);

// True for a cell that a spreadsheet would run: it begins with = + - @ TAB or CR, and is
// not a number such as -12.5.
bool is_formula(std::string_view text);

// For a spreadsheet: a formula gets an apostrophe before it.
void append_csv_cell_safe(std::string& out, std::string_view text, char delimiter);

}  // namespace tallyman
