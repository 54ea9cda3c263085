#include "target/postgres_name.h"

#include <algorithm>

namespace tallyman {
namespace {

struct Part {
  std::string name;
  bool quoted = false;
};

// Takes a part in quotes off the front; nothing where the quotes do not end.
std::optional<Part> take_quoted(std::string_view& text) {
  Part part{{}, true};
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') {
      part.name += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      part.name += text[i++];
    } else {
      text.remove_prefix(i + 1);
      return part;
    }
  }
  return std::nullopt;
}

// The parts between the points; nothing where it is not written like a name.
std::optional<std::vector<Part>> read_parts(std::string_view text) {
  std::vector<Part> parts;
  while (true) {
    if (text.starts_with('"')) {
      auto part = take_quoted(text);
      if (!part) return std::nullopt;
      parts.push_back(*std::move(part));
      if (!text.empty() && !text.starts_with('.')) return std::nullopt;
    } else {
      const std::string_view word = text.substr(0, text.find('.'));
      parts.push_back({std::string(word), false});
      text.remove_prefix(word.size());
    }
    if (text.empty()) return parts;
    text.remove_prefix(1);
  }
}

std::string lower(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

PostgresName make_name(const std::vector<Part>& parts, bool folded) {
  const auto read = [&](const Part& part) {
    return folded && !part.quoted ? lower(part.name) : part.name;
  };
  if (parts.size() == 1) return {std::nullopt, read(parts.front())};
  return {read(parts.front()), read(parts.back())};
}

}  // namespace

std::vector<PostgresName> postgres_name_readings(std::string_view text) {
  std::vector<PostgresName> readings;
  const auto parts = read_parts(text);
  if (parts && parts->size() <= 2) {
    readings = {make_name(*parts, false), make_name(*parts, true)};
  }
  readings.push_back({std::nullopt, std::string(text)});
  std::vector<PostgresName> distinct;
  for (PostgresName& reading : readings) {
    const bool known =
        std::find(distinct.begin(), distinct.end(), reading) != distinct.end();
    if (!known) distinct.push_back(std::move(reading));
  }
  return distinct;
}

}  // namespace tallyman
