#include "app/config_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "app/quantities.h"
#include "base/decimal.h"
#include "base/nearest_name.h"

namespace tallyman {
namespace {

std::optional<std::uint64_t> whole_number(const ConfigNode& node) {
  std::uint64_t value = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::string show(std::chrono::milliseconds time) {
  if (time.count() % 1'000 != 0) return fmt::format("{}ms", time.count());
  const auto seconds = time.count() / 1'000;
  if (seconds % 86'400 == 0) return fmt::format("{}d", seconds / 86'400);
  if (seconds % 3'600 == 0) return fmt::format("{}h", seconds / 3'600);
  return fmt::format("{}s", seconds);
}

}  // namespace

std::string TableReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void TableReader::mistake(int line, std::string message) {
  mistakes_.push_back({line, std::move(message)});
}

void TableReader::wrong_kind(std::string_view key, const ConfigNode& node,
                             std::string_view wanted) {
  mistake(node.line,
          fmt::format("{} must be {}, not {}", path_of(key), wanted, name(node.kind)));
}

const ConfigNode* TableReader::ask(std::string_view key) {
  asked_.emplace_back(key);
  return table_.find(key);
}

const ConfigNode* TableReader::ask(std::string_view key, ConfigNode::Kind kind) {
  const ConfigNode* node = ask(key);
  if (node == nullptr || node->kind == kind) return node;
  wrong_kind(key, *node, name(kind));
  return nullptr;
}

int TableReader::text(std::string_view key, std::string& into) {
  const ConfigNode* node = ask(key, ConfigNode::Kind::kText);
  if (node == nullptr) return 0;
  if (node->text.empty()) {
    mistake(node->line, path_of(key) + " must not be empty");
    return 0;
  }
  into = node->text;
  return node->line;
}

int TableReader::boolean(std::string_view key, bool& into) {
  const ConfigNode* node = ask(key, ConfigNode::Kind::kBoolean);
  if (node == nullptr) return 0;
  into = node->text == "true";
  return node->line;
}

int TableReader::count(std::string_view key, CountRange range, std::uint64_t& into) {
  const ConfigNode* node = ask(key, ConfigNode::Kind::kInteger);
  if (node == nullptr) return 0;
  const auto value = whole_number(*node);
  if (!value || *value < range.min || *value > range.max) {
    mistake(node->line, fmt::format("{} must be from {} to {}", path_of(key),
                                    show_count(range.min), show_count(range.max)));
    return 0;
  }
  into = *value;
  return node->line;
}

int TableReader::size(std::string_view key, CountRange range, std::uint64_t& into) {
  const ConfigNode* node = ask(key);
  if (node == nullptr) return 0;
  std::optional<std::uint64_t> value;
  if (node->kind == ConfigNode::Kind::kInteger) value = whole_number(*node);
  if (node->kind == ConfigNode::Kind::kText) value = parse_size(node->text);
  if (!value) {
    mistake(node->line,
            path_of(key) +
                " must be a size: bytes as a whole number, or \"24MiB\", \"10GB\"");
    return 0;
  }
  if (*value < range.min || *value > range.max) {
    mistake(node->line, fmt::format("{} must be from {} to {}", path_of(key),
                                    show_bytes(range.min), show_bytes(range.max)));
    return 0;
  }
  into = *value;
  return node->line;
}

int TableReader::duration(std::string_view key, TimeRange range,
                          std::chrono::milliseconds& into) {
  const ConfigNode* node = ask(key);
  if (node == nullptr) return 0;
  std::optional<std::chrono::milliseconds> value;
  if (node->kind == ConfigNode::Kind::kText) value = parse_duration(node->text);
  if (!value) {
    mistake(node->line, path_of(key) +
                            " must be a time with its unit: \"250ms\", \"10s\", \"5m\", "
                            "\"24h\", \"7d\"");
    return 0;
  }
  if (*value < range.min || *value > range.max) {
    mistake(node->line, fmt::format("{} must be from {} to {}", path_of(key),
                                    show(range.min), show(range.max)));
    return 0;
  }
  into = *value;
  return node->line;
}

int TableReader::decimal(std::string_view key, std::optional<std::string>& into) {
  const ConfigNode* node = ask(key);
  if (node == nullptr) return 0;
  const bool right_kind = node->kind == ConfigNode::Kind::kInteger ||
                          node->kind == ConfigNode::Kind::kDecimal ||
                          node->kind == ConfigNode::Kind::kText;
  if (!right_kind || !Decimal::parse(node->text)) {
    mistake(node->line, path_of(key) + " must be a number, such as 0.01 or \"0.01\"");
    return 0;
  }
  into = node->text;
  return node->line;
}

int TableReader::names(std::string_view key, std::vector<NamedLine>& into, bool single) {
  const ConfigNode* node = ask(key);
  if (node == nullptr) return 0;
  if (single && node->kind == ConfigNode::Kind::kText) {
    into.push_back({node->text, node->line});
    return node->line;
  }
  if (node->kind != ConfigNode::Kind::kArray) {
    wrong_kind(key, *node, "a list of names");
    return 0;
  }
  for (const ConfigNode& element : node->elements) {
    if (element.kind != ConfigNode::Kind::kText) {
      mistake(element.line, fmt::format("{} must hold names in quotes, not {}",
                                        path_of(key), name(element.kind)));
      continue;
    }
    const bool twice = std::any_of(into.begin(), into.end(), [&](const NamedLine& other) {
      return other.name == element.text;
    });
    if (twice) {
      mistake(element.line,
              fmt::format("{} names \"{}\" twice", path_of(key), element.text));
      continue;
    }
    into.push_back({element.text, element.line});
  }
  return node->line;
}

int TableReader::values(std::string_view key, std::vector<std::string>& into) {
  const ConfigNode* node = ask(key, ConfigNode::Kind::kArray);
  if (node == nullptr) return 0;
  for (const ConfigNode& element : node->elements) {
    const bool right_kind = element.kind == ConfigNode::Kind::kText ||
                            element.kind == ConfigNode::Kind::kInteger ||
                            element.kind == ConfigNode::Kind::kDecimal ||
                            element.kind == ConfigNode::Kind::kBoolean;
    if (!right_kind) {
      mistake(element.line, fmt::format("{} must hold texts or numbers, not {}",
                                        path_of(key), name(element.kind)));
      continue;
    }
    into.push_back(element.text);
  }
  if (node->elements.empty()) {
    mistake(node->line, path_of(key) + " is empty: nothing could ever be written");
  }
  return node->line;
}

const ConfigNode* TableReader::table(std::string_view key) {
  return ask(key, ConfigNode::Kind::kTable);
}

void TableReader::each_table(std::string_view key,
                             const std::function<void(const ConfigMember& member)>& run) {
  const ConfigNode* node = table(key);
  if (node == nullptr) return;
  for (const ConfigMember& member : node->members) {
    if (member.value.kind == ConfigNode::Kind::kTable) {
      run(member);
    } else {
      mistake(member.line, fmt::format("{}.{} must be a table: [{}.{}]", path_of(key),
                                       member.key, path_of(key), member.key));
    }
  }
}

void TableReader::refuse_others() {
  for (const ConfigMember& member : table_.members) {
    if (std::find(asked_.begin(), asked_.end(), member.key) != asked_.end()) continue;
    const auto nearest = nearest_name(member.key, asked_);
    mistake(member.line, fmt::format("there is no setting {}{}", path_of(member.key),
                                     nearest ? fmt::format("; did you mean {}?", *nearest)
                                             : std::string()));
  }
}

}  // namespace tallyman
