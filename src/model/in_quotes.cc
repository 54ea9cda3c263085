#include "model/in_quotes.h"

#include <fmt/format.h>

#include "base/nearest_name.h"
#include "base/utf8.h"

namespace tallyman {
namespace {

constexpr std::size_t kShownBytesMax = 120;

}  // namespace

std::string in_quotes(std::string_view name) {
  std::string text = "\"";
  if (name.size() <= kShownBytesMax) {
    text += name;
  } else {
    std::size_t end = 0;
    for (std::size_t next = 0; next <= kShownBytesMax;) {
      end = next;
      const std::size_t length = utf8_sequence_length(name.substr(next));
      next += length == 0 ? 1 : length;
    }
    text.append(name, 0, end);
    text += "...";
  }
  text += '"';
  return text;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
  const auto nearest = nearest_name(name, known);
  return nearest ? fmt::format("; did you mean {}?", in_quotes(*nearest)) : "";
}

}  // namespace tallyman
