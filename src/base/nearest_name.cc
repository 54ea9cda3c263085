#include "base/nearest_name.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tallyman {
namespace {

constexpr std::size_t kNameBytesMax = 128;

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

// Levenshtein's distance, where swapping two neighbours counts as one change.
std::size_t distance(std::string_view left, std::string_view right) {
  using Row = std::array<std::size_t, kNameBytesMax + 1>;
  Row before_last{};
  Row last{};
  Row row{};
  for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    before_last = last;
    last = row;
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t changed = left[i - 1] == right[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + changed});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[right.size()];
}

std::size_t difference(std::size_t left, std::size_t right) {
  return left > right ? left - right : right - left;
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view name,
                                        std::span<const std::string> known) {
  if (name.size() > kNameBytesMax) return std::nullopt;
  const std::string wanted = lower_case(name);
  std::size_t best = std::max<std::size_t>(1, name.size() / 3) + 1;
  const std::string* nearest = nullptr;
  for (const std::string& candidate : known) {
    if (candidate.size() > kNameBytesMax) continue;
    if (difference(candidate.size(), name.size()) >= best) continue;
    const std::size_t found = distance(wanted, lower_case(candidate));
    if (found >= best) continue;
    best = found;
    nearest = &candidate;
  }
  return nearest ? std::optional(*nearest) : std::nullopt;
}

}  // namespace tallyman
