#include "format/csv_text.h"

#include <cstring>

#include "format/csv_scanner.h"

namespace tallyman {
namespace {

// Cells are short: looking at 8 bytes at a time beats a call of memchr.
std::size_t find_quote(std::string_view text, std::size_t from) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  for (; from + 8 <= text.size(); from += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + from, sizeof word);
    word ^= kOnes * '"';
    if (((word - kOnes) & ~word & kHighs) != 0) break;
  }
  while (from < text.size() && text[from] != '"') ++from;
  return from;
}

}  // namespace

std::optional<CsvInside> csv_inside(std::string_view cell) {
  if (cell.size() < 2 || cell.back() != '"') return std::nullopt;
  const std::string_view inside = cell.substr(1, cell.size() - 2);
  std::size_t quote = find_quote(inside, 0);
  if (quote == inside.size()) return CsvInside{inside, false};
  while (quote < inside.size()) {
    if (quote + 1 == inside.size() || inside[quote + 1] != '"') return std::nullopt;
    quote = find_quote(inside, quote + 2);
  }
  return CsvInside{inside, true};
}

std::size_t csv_unescape(std::string_view inside, char* out) {
  char* end = out;
  std::size_t done = 0;
  while (done < inside.size()) {
    const std::size_t quote = find_quote(inside, done);
    // The first of two quotes goes along, the second is passed over.
    const std::size_t length = quote + (quote < inside.size() ? 1 : 0) - done;
    std::memcpy(end, inside.data() + done, length);
    end += length;
    done = quote + 2;
  }
  return static_cast<std::size_t>(end - out);
}

bool split_csv_record(std::string_view raw, char delimiter, std::vector<CsvText>& cells) {
  std::size_t count = 0;
  bool good = true;
  const auto add = [&](std::string_view cell) {
    if (count == cells.size()) cells.emplace_back();
    CsvText& out = cells[count++];
    out.quoted = cell.starts_with('"');
    if (!out.quoted) {
      out.text = cell;
      return true;
    }
    const auto inside = csv_inside(cell);
    if (!inside) {
      --count;
      return false;
    }
    out.text.resize(inside->text.size());
    out.text.resize(csv_unescape(inside->text, out.text.data()));
    return true;
  };

  CsvState state = CsvState::kCellStart;
  std::size_t cell_begin = 0;
  for (std::size_t i = 0; i < raw.size() && good; ++i) {
    bool separates;
    state = csv_step(state, raw[i], delimiter, separates);
    if (!separates) continue;
    good = add(raw.substr(cell_begin, i - cell_begin));
    cell_begin = i + 1;
  }
  good = good && add(raw.substr(cell_begin));
  cells.resize(count);
  return good;
}

}  // namespace tallyman
