// ConfigNode: a configuration file as a tree of values with their lines.
//
//   TALLY_TRY_ASSIGN(const ConfigNode root, parse_config_text(text));
//   if (const ConfigNode* table = root.find("resources")) ...
//
// Numbers are kept as they are written, so that a decimal does not become a float.
//
// Plain values. Lines count from 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tallyman {

struct ConfigMistake {
  int line = 0;
  std::string message;
  friend bool operator==(const ConfigMistake&, const ConfigMistake&) = default;
};

struct ConfigMember;

struct ConfigNode {
  enum class Kind : std::uint8_t {
    kText,
    kInteger,
    kDecimal,
    kBoolean,
    kTime,
    kArray,
    kTable
  };

  Kind kind = Kind::kTable;
  int line = 0;
  std::string
      text;  // kText: the text. Numbers: their digits. kBoolean: "true" or "false".
  std::vector<ConfigNode> elements;   // kArray.
  std::vector<ConfigMember> members;  // kTable, by line.

  const ConfigNode* find(std::string_view key) const;
};

struct ConfigMember {
  std::string key;
  int line = 0;
  ConfigNode value;
};

// "a text", "a list": for messages.
std::string_view name(ConfigNode::Kind kind);

// Reads TOML. What is not TOML is one mistake, at its line: reading cannot go on after
// it.
struct ConfigText {
  ConfigNode root;
  std::vector<ConfigMistake> mistakes;
};
ConfigText parse_config_text(std::string_view text);

}  // namespace tallyman
