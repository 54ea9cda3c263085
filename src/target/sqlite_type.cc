#include "target/sqlite_type.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/check.h"

namespace tallyman {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

SqliteAffinity affinity_of(std::string_view type) {
  if (holds(type, "INT")) return SqliteAffinity::kInteger;
  if (holds(type, "CHAR") || holds(type, "CLOB") || holds(type, "TEXT")) {
    return SqliteAffinity::kText;
  }
  if (type.empty() || holds(type, "BLOB")) return SqliteAffinity::kNone;
  if (holds(type, "REAL") || holds(type, "FLOA") || holds(type, "DOUB")) {
    return SqliteAffinity::kReal;
  }
  return SqliteAffinity::kNumeric;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The numbers in brackets: "(12, 2)" -> 12 and 2.
struct Arguments {
  std::optional<int> first;
  std::optional<int> second;
};

std::optional<int> read_number(std::string_view text) {
  text = trimmed(text);
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

Arguments read_arguments(std::string_view type) {
  const std::size_t open = type.find('(');
  const std::size_t close = type.find(')', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  const std::string_view inside = type.substr(open + 1, close - open - 1);
  const std::size_t comma = inside.find(',');
  if (comma == std::string_view::npos) return {read_number(inside), std::nullopt};
  return {read_number(inside.substr(0, comma)), read_number(inside.substr(comma + 1))};
}

// Types that SQLite has no name for. All have NUMERIC affinity, which leaves alone what
// does not look like a number.
std::optional<FieldType> type_by_name(std::string_view type) {
  const std::string_view word = trimmed(type.substr(0, type.find('(')));
  constexpr std::array<std::pair<std::string_view, FieldType>, 15> kNames = {{
      {"BOOLEAN", FieldType::kBoolean},
      {"BOOL", FieldType::kBoolean},
      {"DECIMAL", FieldType::kDecimal},
      {"NUMERIC", FieldType::kDecimal},
      {"NUMBER", FieldType::kDecimal},
      {"DEC", FieldType::kDecimal},
      {"DATE", FieldType::kDate},
      {"TIME", FieldType::kTime},
      {"DATETIME", FieldType::kTimestamp},
      {"TIMESTAMP", FieldType::kTimestamp},
      {"TIMESTAMPTZ", FieldType::kTimestamp},
      {"UUID", FieldType::kUuid},
      {"GUID", FieldType::kUuid},
      {"JSON", FieldType::kJson},
      {"JSONB", FieldType::kJson},
  }};
  for (const auto& [known, field_type] : kNames) {
    if (word == known) return field_type;
  }
  if (word.starts_with("TIMESTAMP WITH")) return FieldType::kTimestamp;
  return std::nullopt;
}

FieldType type_by_affinity(SqliteAffinity affinity, std::string_view type) {
  switch (affinity) {
    case SqliteAffinity::kNone: return type.empty() ? FieldType::kAny : FieldType::kBytes;
    case SqliteAffinity::kText: return FieldType::kText;
    case SqliteAffinity::kNumeric: return FieldType::kAny;
    case SqliteAffinity::kInteger: return FieldType::kInteger;
    case SqliteAffinity::kReal: return FieldType::kFloat;
  }
  CHECK(false);
}

}  // namespace

std::string_view name(SqliteAffinity affinity) {
  switch (affinity) {
    case SqliteAffinity::kNone: return "BLOB";
    case SqliteAffinity::kText: return "TEXT";
    case SqliteAffinity::kNumeric: return "NUMERIC";
    case SqliteAffinity::kInteger: return "INTEGER";
    case SqliteAffinity::kReal: return "REAL";
  }
  CHECK(false);
}

SqliteColumnType describe_sqlite_type(std::string_view declared, bool strict_table) {
  const std::string type = upper(trimmed(declared));
  SqliteColumnType described;
  // In a STRICT table a column of type ANY keeps what it is given.
  if (strict_table && type == "ANY") return described;

  described.affinity = affinity_of(type);
  described.type = type_by_affinity(described.affinity, type);
  if (described.affinity == SqliteAffinity::kNumeric) {
    described.type = type_by_name(type).value_or(FieldType::kAny);
  }
  const Arguments arguments = read_arguments(type);
  if (described.type == FieldType::kDecimal && arguments.first && *arguments.first > 0) {
    described.precision = arguments.first;
    described.scale = std::max(arguments.second.value_or(0), 0);
  }
  if (described.type == FieldType::kText && holds(type, "CHAR") && arguments.first &&
      *arguments.first > 0) {
    described.max_length = static_cast<std::uint32_t>(*arguments.first);
  }
  return described;
}

}  // namespace tallyman
