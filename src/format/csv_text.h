// The text of CSV cells: what stands between the quotes.
//
//   std::vector<CsvText> cells;
//   if (!split_csv_record(raw, ',', cells)) ... a cell is broken
//
// Threads: free functions. Errors: a broken cell is `false` or nullopt, never an Error.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

struct CsvText {
  std::string text;  // Decoded.
  bool quoted = false;

  friend bool operator==(const CsvText&, const CsvText&) = default;
};

// The cells of one record's own text, without its line end. False, with what was found
// until then, where a cell is broken: text behind a closing quote, or a quote that is
// never closed. `cells` is filled anew; its strings keep their memory.
bool split_csv_record(std::string_view raw, char delimiter, std::vector<CsvText>& cells);

// What stands between the quotes of a cell, each quote in it still twice.
struct CsvInside {
  std::string_view text;
  bool has_quotes;
};

// REQUIRES: `cell` begins with a quote. nullopt for a broken cell.
std::optional<CsvInside> csv_inside(std::string_view cell);

// Writes `inside` with one quote for every two; returns the bytes written.
// REQUIRES: `out` has room for inside.size() bytes.
std::size_t csv_unescape(std::string_view inside, char* out);

}  // namespace tallyman
