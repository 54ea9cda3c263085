#include "target/postgres_type.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "db/postgres.h"

namespace tallyman {
namespace {

using enum PostgresWire;

struct KnownType {
  std::string_view name;
  PostgresWire wire;
  FieldType field_type;
  bool canonical;
};

// Types of pg_catalog that have a wire form of ours.
constexpr std::array<KnownType, 18> kKnown = {{
    {"int2", kInt2, FieldType::kInteger, true},
    {"int4", kInt4, FieldType::kInteger, true},
    {"int8", kInt8, FieldType::kInteger, true},
    {"float4", kFloat4, FieldType::kFloat, true},
    {"float8", kFloat8, FieldType::kFloat, true},
    {"numeric", kNumeric, FieldType::kDecimal, false},
    {"bool", kBool, FieldType::kBoolean, true},
    {"text", kText, FieldType::kText, true},
    {"varchar", kText, FieldType::kText, true},
    {"bpchar", kText, FieldType::kText, false},
    {"json", kJson, FieldType::kJson, false},
    {"jsonb", kJsonb, FieldType::kJson, false},
    {"date", kDate, FieldType::kDate, true},
    {"time", kTime, FieldType::kTime, true},
    {"timestamp", kTimestamp, FieldType::kTimestamp, true},
    {"timestamptz", kTimestamptz, FieldType::kTimestamp, true},
    {"uuid", kUuid, FieldType::kUuid, true},
    {"bytea", kBytea, FieldType::kBytes, true},
}};

const KnownType* find_known(const PostgresTypeFacts& facts) {
  if (facts.schema != "pg_catalog") return nullptr;
  const auto found =
      std::find_if(kKnown.begin(), kKnown.end(),
                   [&](const KnownType& known) { return known.name == facts.name; });
  return found == kKnown.end() ? nullptr : &*found;
}

// Lengths and precisions are kept with this added (PostgreSQL's VARHDRSZ).
constexpr std::int32_t kModifierBase = 4;

// Source: numerictypmodin(): precision in the upper 16 bits; the scale is signed, of
// eleven bits (PostgreSQL 14 had them unsigned, of 16, with the same meaning for what it
// allowed).
void read_numeric_modifier(std::int32_t modifier, PostgresType& type) {
  const std::int32_t bits = modifier - kModifierBase;
  type.precision = (bits >> 16) & 0xFFFF;
  type.scale = ((bits & 0x7FF) ^ 0x400) - 0x400;
}

void read_modifier(const PostgresTypeFacts& facts, PostgresType& type) {
  if (facts.modifier < 0) return;
  switch (type.wire) {
    case kNumeric:
      read_numeric_modifier(facts.modifier, type);
      type.canonical = true;
      return;
    case kText:
      if (facts.name == "text") return;
      type.max_length = static_cast<std::uint32_t>(facts.modifier - kModifierBase);
      return;
    case kTime:
    case kTimestamp:
    case kTimestamptz: type.second_digits = facts.modifier; return;
    default: return;  // No other wire form has one.
  }
}

}  // namespace

PostgresType describe_postgres_type(PostgresTypeFacts facts) {
  PostgresType type;
  type.oid = facts.oid;
  type.name = db::postgres_quoted(facts.schema) + "." + db::postgres_quoted(facts.name);
  if (const KnownType* known = find_known(facts)) {
    type.wire = known->wire;
    type.field_type = known->field_type;
    type.canonical = known->canonical;
  } else if (facts.kind == 'e') {
    type.wire = kEnum;
    type.canonical = true;
    type.labels = std::move(facts.labels);
  }
  type.is_formed_by_column =
      facts.schema == "pg_catalog" &&
      (facts.name == "bpchar" || facts.name == "interval" || facts.name == "timetz");
  if (type.needs_cast()) {
    type.wire_oid = db::kTextOid;
    type.wire_array_oid = db::kTextArrayOid;
    type.wire_name = "pg_catalog.text";
    return type;
  }
  type.is_padded = type.wire == kText && facts.name == "bpchar";
  type.wire_oid = facts.oid;
  type.wire_array_oid = facts.array_oid;
  type.wire_name = type.name;
  read_modifier(facts, type);
  if (type.wire == kText && !facts.deterministic_collation) type.canonical = false;
  return type;
}

}  // namespace tallyman
