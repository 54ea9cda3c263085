// What a column's type means: the form in which its values travel to PostgreSQL, and the
// field type that we hold its records to.
//
//   type.wire == PostgresWire::kNumeric            // binds straight into COPY BINARY
//   "x.\"amount\"::" + type.name                   // the cast of what went as text
//
// A type that has no wire form of its own (interval, inet, arrays, ranges, xml, money,
// bit, time with time zone, geometric and composite ones, those of extensions) is kCast:
// it goes as text and is cast on the server, where its errors are found. A domain is the
// type below it; its own NOT NULL and CHECKs are the table's (postgres_table.h), and the
// server applies them when the value is assigned to the column.
//
// Casts never cut: `name` has no length and no precision (pg_catalog.bpchar, not
// character(1)); the assignment to the column then applies the column's own.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/postgres_params.h"
#include "model/resource.h"

namespace tallyman {

// Source of the forms: PostgreSQL's *_send and *_recv functions. All are big-endian.
enum class PostgresWire : std::uint8_t {
  kInt2,
  kInt4,
  kInt8,
  kFloat4,  // Never -0, NaN or an infinity.
  kFloat8,
  kNumeric,  // Of a declared scale: with exactly so many digits after the point.
  kBool,
  kText,         // text, varchar, bpchar (not padded): the bytes.
  kEnum,         // The label.
  kJson,         // The text.
  kJsonb,        // A byte 1, then the text.
  kDate,         // Days since 2000-01-01.
  kTime,         // Microseconds since midnight.
  kTimestamp,    // Microseconds since 2000-01-01.
  kTimestamptz,  // The same, in UTC.
  kUuid,         // 16 bytes.
  kBytea,
  kCast,  // The text of the value; not for COPY BINARY into the column.
};

struct PostgresType {
  db::Oid oid = 0;  // The column's own: a domain's.
  bool is_domain = false;
  // The type below all domains, with its schema and without length or precision, for
  // casts: "pg_catalog.numeric", "app.\"Mood\"".
  std::string name;

  PostgresWire wire = PostgresWire::kCast;
  // What the wire form is to be declared as where it is a parameter or an array's
  // element: the type below all domains, or, of kCast, text.
  db::Oid wire_oid = 0;
  db::Oid wire_array_oid = 0;
  std::string wire_name;  // "pg_catalog.numeric"; an array of it: wire_name + "[]".

  // Two bound values are equal in the database (under the column's collation) exactly
  // where their wire bytes are. So keys may be compared in memory, among bound values; a
  // value that is read back from the table may be written otherwise (-0, 1.0 and 1.00).
  // Not: kCast, json, jsonb, bpchar (padding), numeric without a declared scale, text
  // under a collation that is not deterministic.
  bool canonical = false;

  bool is_padded = false;  // bpchar: blanks at its end are no part of the value.
  // What is stored depends on the column's length or precision, beyond what was bound:
  // blanks are added (bpchar), digits of seconds dropped (interval, timetz).
  bool is_formed_by_column = false;

  FieldType field_type = FieldType::kText;
  std::optional<int> precision;      // Of numeric: in all.
  std::optional<int> scale;          // Of numeric: after the point (may be negative).
  std::optional<int> second_digits;  // time(3), timestamp(3): 3.
  std::optional<std::uint32_t> max_length;  // Of varchar and bpchar: code points.
  std::vector<std::string> labels;          // Of an enum, in its order.

  bool needs_cast() const { return wire == PostgresWire::kCast; }
};

// What the catalogue says of a type below all domains.
struct PostgresTypeFacts {
  db::Oid oid = 0;
  db::Oid array_oid = 0;
  std::string schema;
  std::string name;                     // pg_type.typname: "int4"
  char kind = 'b';                      // pg_type.typtype: 'e' is an enum.
  std::int32_t modifier = -1;           // Of the column, or of the domain.
  bool deterministic_collation = true;  // Of the column.
  std::vector<std::string> labels;
};

// All but oid and is_domain, which are those of a column that has the type itself.
PostgresType describe_postgres_type(PostgresTypeFacts facts);

}  // namespace tallyman
