#include "app/config_node.h"

#include <toml++/toml.h>

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"

namespace tallyman {
namespace {

// The text of the file by lines, for numbers as they were written.
class Source {
 public:
  explicit Source(std::string_view text) : text_(text) {}

  // A number's characters from (line, column) on; columns count code points from 1.
  std::string number_at(toml::source_position place) const {
    std::string_view rest = text_;
    for (toml::source_index line = 1; line < place.line; ++line) {
      rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    }
    for (toml::source_index column = 1; column < place.column && !rest.empty();
         ++column) {
      rest.remove_prefix(std::max<std::size_t>(1, utf8_sequence_length(rest)));
    }
    std::string digits;
    for (const char byte : rest) {
      if (byte == '_') continue;
      const bool part = (byte >= '0' && byte <= '9') || byte == '+' || byte == '-' ||
                        byte == '.' || byte == 'e' || byte == 'E';
      if (!part) break;
      digits += byte;
    }
    if (digits.starts_with('+')) digits.erase(0, 1);
    return digits;
  }

 private:
  std::string_view text_;
};

int line_of(const toml::source_region& region) {
  return static_cast<int>(region.begin.line);
}

ConfigNode convert(const toml::node& node, const Source& source);

void convert_members(const toml::table& table, const Source& source, ConfigNode& into) {
  for (const auto& [key, value] : table) {
    into.members.push_back(
        {std::string(key.str()), line_of(key.source()), convert(value, source)});
  }
  std::stable_sort(
      into.members.begin(), into.members.end(),
      [](const ConfigMember& a, const ConfigMember& b) { return a.line < b.line; });
}

ConfigNode convert(const toml::node& node, const Source& source) {
  ConfigNode out;
  out.line = line_of(node.source());
  switch (node.type()) {
    case toml::node_type::string:
      out.kind = ConfigNode::Kind::kText;
      out.text = node.ref<std::string>();
      break;
    case toml::node_type::integer:
      out.kind = ConfigNode::Kind::kInteger;
      out.text = std::to_string(node.ref<std::int64_t>());
      break;
    case toml::node_type::floating_point:
      out.kind = ConfigNode::Kind::kDecimal;
      out.text = source.number_at(node.source().begin);
      break;
    case toml::node_type::boolean:
      out.kind = ConfigNode::Kind::kBoolean;
      out.text = node.ref<bool>() ? "true" : "false";
      break;
    case toml::node_type::array:
      out.kind = ConfigNode::Kind::kArray;
      for (const toml::node& element : *node.as_array()) {
        out.elements.push_back(convert(element, source));
      }
      break;
    case toml::node_type::table:
      out.kind = ConfigNode::Kind::kTable;
      convert_members(*node.as_table(), source, out);
      break;
    default: out.kind = ConfigNode::Kind::kTime; break;
  }
  return out;
}

}  // namespace

const ConfigNode* ConfigNode::find(std::string_view key) const {
  for (const ConfigMember& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string_view name(ConfigNode::Kind kind) {
  switch (kind) {
    case ConfigNode::Kind::kText: return "a text";
    case ConfigNode::Kind::kInteger: return "a whole number";
    case ConfigNode::Kind::kDecimal: return "a decimal number";
    case ConfigNode::Kind::kBoolean: return "true or false";
    case ConfigNode::Kind::kTime: return "a date or time";
    case ConfigNode::Kind::kArray: return "a list";
    case ConfigNode::Kind::kTable: return "a table";
  }
  CHECK(false);
}

ConfigText parse_config_text(std::string_view text) {
  ConfigText out;
  try {
    const toml::table table = toml::parse(text);
    convert_members(table, Source(text), out.root);
  } catch (const toml::parse_error& error) {
    out.mistakes.push_back({line_of(error.source()), std::string(error.description())});
  }
  return out;
}

}  // namespace tallyman
