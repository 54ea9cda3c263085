// TableReader: takes settings out of a table of the configuration, and says what is wrong
// with them: a wrong kind, a value out of range, a key that nobody asked for.
//
//   TableReader reader(node, "http", mistakes);
//   reader.count("connections_max", {1, 1'000'000}, config.http.connections_max);
//   reader.refuse_others();  // names the nearest key that was asked for
//
// A setting that is not there leaves its target as it is; so does a wrong one.
//
// Lifetime: looks at the node and writes into the mistakes that it was given.
// Threads:  one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_node.h"

namespace tallyman {

struct CountRange {
  std::uint64_t min;
  std::uint64_t max;
};

struct TimeRange {
  std::chrono::milliseconds min;
  std::chrono::milliseconds max;
};

// A name and the line that it stands in.
struct NamedLine {
  std::string name;
  int line = 0;
};

class TableReader {
 public:
  // `path` is the table's name for messages: "resources.people"; empty for the top.
  TableReader(const ConfigNode& table, std::string path,
              std::vector<ConfigMistake>& mistakes)
      : table_(table), path_(std::move(path)), mistakes_(mistakes) {}

  // Each returns the line of the setting where it was there and right, else 0.
  int text(std::string_view key, std::string& into);
  int boolean(std::string_view key, bool& into);
  int count(std::string_view key, CountRange range, std::uint64_t& into);
  int size(std::string_view key, CountRange range,
           std::uint64_t& into);  // "24MiB" or bytes.
  int duration(std::string_view key, TimeRange range, std::chrono::milliseconds& into);
  // A number, or a decimal in quotes; as its digits.
  int decimal(std::string_view key, std::optional<std::string>& into);
  // A list of texts; with `single` one text does too.
  int names(std::string_view key, std::vector<NamedLine>& into, bool single = false);
  // A list of texts, numbers or truth values, as texts.
  int values(std::string_view key, std::vector<std::string>& into);
  // The table under `key`; null where there is none.
  const ConfigNode* table(std::string_view key);
  // Runs for each table under `key`: [key.NAME].
  void each_table(std::string_view key,
                  const std::function<void(const ConfigMember& member)>& run);

  // Every key that was not asked for is a mistake.
  void refuse_others();

  void mistake(int line, std::string message);
  // "resources.people.only"
  std::string path_of(std::string_view key) const;
  const ConfigNode* ask(std::string_view key);

 private:
  const ConfigNode* ask(std::string_view key, ConfigNode::Kind kind);
  void wrong_kind(std::string_view key, const ConfigNode& node, std::string_view wanted);

  const ConfigNode& table_;
  std::string path_;
  std::vector<ConfigMistake>& mistakes_;
  std::vector<std::string> asked_;
};

}  // namespace tallyman
