#include "http/header_value.h"

#include <algorithm>

#include "http/ascii.h"

namespace tallyman::http {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), to_lower);
  return result;
}

// Takes a quoted string off the front, which begins after its quote.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  while (!text.empty()) {
    char letter = text.front();
    text.remove_prefix(1);
    if (letter == '"') return value;
    // Browsers send Windows paths with bare backslashes: only \" and \\ are escapes.
    if (letter == '\\' && !text.empty() &&
        (text.front() == '"' || text.front() == '\\')) {
      letter = text.front();
      text.remove_prefix(1);
    }
    value += letter;
  }
  return std::nullopt;
}

std::string_view take_until(std::string_view& text, std::string_view stops) {
  const std::string_view taken = text.substr(0, text.find_first_of(stops));
  text.remove_prefix(taken.size());
  return taken;
}

std::optional<std::string> take_value(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  if (!text.starts_with('"')) return std::string(trim(take_until(text, ";")));
  text.remove_prefix(1);
  auto value = take_quoted(text);
  if (!value || !trim(take_until(text, ";")).empty()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string_view> HeaderValue::parameter(std::string_view name) const {
  for (const auto& [key, its_value] : parameters) {
    if (key == name) return its_value;
  }
  return std::nullopt;
}

std::optional<HeaderValue> parse_header_value(std::string_view text) {
  HeaderValue result;
  result.value = lower(trim(take_until(text, ";")));
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string name = lower(trim(take_until(text, "=;")));
    if (text.empty() || text.front() == ';') {
      if (name.empty()) continue;  // "a; ;b" and "a;" mean nothing more.
      return std::nullopt;
    }
    text.remove_prefix(1);
    auto value = take_value(text);
    if (!value || name.empty() || result.parameter(name)) return std::nullopt;
    result.parameters.emplace_back(name, *std::move(value));
  }
  return result;
}

}  // namespace tallyman::http
