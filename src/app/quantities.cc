#include "app/quantities.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

namespace tallyman {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr auto kSizeUnits = std::to_array<Unit>({
    {"", 1},
    {"B", 1},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
});

constexpr auto kTimeUnits = std::to_array<Unit>({
    {"ms", 1},
    {"s", 1'000},
    {"m", 60'000},
    {"h", 3'600'000},
    {"d", 86'400'000},
});

constexpr std::uint64_t kMillisMax = 100ULL * 366 * 86'400'000;

template <std::size_t kSize>
std::optional<std::uint64_t> parse_with_unit(std::string_view text,
                                             const std::array<Unit, kSize>& units) {
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.size() > 1 && unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    if (number > std::numeric_limits<std::uint64_t>::max() / known.factor) {
      return std::nullopt;
    }
    return number * known.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizeUnits);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto millis = parse_with_unit(text, kTimeUnits);
  if (!millis || *millis > kMillisMax) return std::nullopt;
  return std::chrono::milliseconds(*millis);
}

std::string show_bytes(std::uint64_t bytes) {
  if (bytes < 1'024) return fmt::format("{} B", bytes);
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1'024;
  std::size_t unit = 0;
  while (value >= 1'023.95 && unit + 1 < kUnits.size()) {
    value /= 1'024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string show_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t place = text.size(); place > 3;) {
    place -= 3;
    text.insert(place, 1, ',');
  }
  return text;
}

std::string show_duration(std::chrono::seconds time) {
  const auto seconds = time.count();
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3'600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86'400) {
    return fmt::format("{} h {} min", seconds / 3'600, seconds % 3'600 / 60);
  }
  return fmt::format("{} d {} h", seconds / 86'400, seconds % 86'400 / 3'600);
}

}  // namespace tallyman
