// What a declared column type means: SQLite's affinity, and the field type that we hold
// its records to.
//
//   describe_sqlite_type("decimal(12,2)", false)  ->  {kDecimal, kNumeric, 12, 2}
//
// Affinity is what SQLite does to a value that is stored (sqlite.org/datatype3.html,
// section 3.1); it knows no date, boolean, UUID or JSON, so these are told by their
// names.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/resource.h"

namespace tallyman {

enum class SqliteAffinity : std::uint8_t { kNone, kText, kNumeric, kInteger, kReal };

std::string_view name(SqliteAffinity affinity);  // A type that has it: "NUMERIC".

struct SqliteColumnType {
  FieldType type = FieldType::kAny;
  SqliteAffinity affinity = SqliteAffinity::kNone;
  std::optional<int> precision;
  std::optional<int> scale;
  std::optional<std::uint32_t> max_length;
};

SqliteColumnType describe_sqlite_type(std::string_view declared, bool strict_table);

}  // namespace tallyman
