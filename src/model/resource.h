// Resource: a table with rules. What a client may do with it, and what a record must be.
//
// Fields, keys and foreign keys are read from the database (target/); the configuration
// and the embedding program narrow (operations, fields) and tighten (rules). Names that a
// client sends are looked up here; what is not found is refused.
//
// Plain values: safe from any thread once made.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/aggregate.h"
#include "model/limits.h"
#include "model/operation.h"
#include "tallyman/value.h"

namespace tallyman {

enum class FieldType : std::uint8_t {
  kInteger,
  kDecimal,
  kFloat,
  kBoolean,
  kText,
  kDate,       // 2024-01-31
  kTime,       // 10:30:00[.ffffff]
  kTimestamp,  // 2024-01-31T10:30:00[.ffffff][Z or offset]; a space does for the T
  kUuid,
  kJson,
  kBytes,  // As text: \x and two hex digits a byte.
  kAny,    // A column without a declared type: what is sent is kept.
};

std::string_view name(FieldType type);  // "integer"

using Validator = std::function<Verdict(const Value&)>;

// What the configuration and the embedding program ask of a value, beside its type. NULL
// passes all of them (nullable says whether it may be NULL).
struct FieldRules {
  std::vector<std::string> choices;    // Empty: any.
  std::optional<std::string> minimum;  // As a decimal, inclusive.
  std::optional<std::string> maximum;
  std::optional<std::uint32_t> max_length;  // Code points.
  std::optional<std::string> pattern;       // RE2 syntax; the whole text must match.
  std::vector<Validator> validators;        // May be called from several threads.
};

struct Field {
  std::string name;
  FieldType type = FieldType::kText;
  std::string declared_type;  // As the database writes it: "varchar(200)".
  bool nullable = true;
  bool generated = false;        // Computed by the database; cannot be written.
  bool read_only = false;        // By the configuration; cannot be written.
  bool has_default = false;      // Also true where the database makes up an id.
  std::string default_sql;       // The catalogue's expression; empty where there is none.
  std::optional<int> precision;  // Decimal: digits in all.
  std::optional<int> scale;      // Decimal: digits after the point.
  std::optional<std::uint32_t> max_length;  // Text: code points, by the declared type.
  FieldRules rules;

  bool writable() const { return !generated && !read_only; }
  // Must a record of an insert have it?
  bool required() const { return !nullable && !has_default && !generated; }
};

struct Key {
  std::string name;  // Of the constraint or index; "primary key" where it has none.
  std::vector<std::size_t> fields;  // Places in Resource::fields.
  bool primary = false;
};

struct ForeignKey {
  std::string name;
  std::vector<std::size_t> fields;
  std::string parent_table;
  std::vector<std::string> parent_fields;
};

struct Resource {
  std::string name;
  std::string table;
  std::vector<Field> fields;  // In catalogue order. At most limits::kFieldsMax.
  std::vector<Key> keys;      // The primary key first (if there is one), then by name.
  std::vector<ForeignKey> foreign_keys;  // By name.
  std::set<Operation> operations;
  bool parallel = false;  // Jobs may run side by side; else one after the other.
  std::map<std::string, NamedAggregate> aggregates;  // What "custom" may name.
  std::string schema_fingerprint;  // Changes when the table's definition does.

  // The place of a field; nothing for an unknown or hidden one.
  std::optional<std::size_t> field_place(std::string_view field_name) const;
  std::vector<std::string> field_names() const;
  const Key* primary_key() const {
    return !keys.empty() && keys.front().primary ? &keys.front() : nullptr;
  }
  // The unique key made of exactly these fields, in any order; or null.
  const Key* key_of(const std::vector<std::string>& field_names) const;
};

}  // namespace tallyman
