// Values in PostgreSQL's wire form, from text and back.
//
//   encode_date("2024-01-31", bytes)               // appends; TextFault::kNone
//   encode_timestamp("2024-01-31T10:30:00+01:00", 6, bytes)
//   std::string text; append_wire_text(PostgresWire::kDate, bytes, text)   // 2024-01-31
//
// Source of the forms: *_recv and *_send in PostgreSQL's src/backend/utils/adt (date.c,
// timestamp.c, uuid.c, jsonb.c; numeric is in postgres_numeric.h). All numbers are
// big-endian.
//
// Encoders append; where they find a fault nothing is appended.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "target/field_text.h"
#include "target/postgres_type.h"

namespace tallyman {

// The nearest float; too small a number is zero.
TextFault encode_float4(std::string_view text, std::string& into);
TextFault encode_float8(std::string_view text, std::string& into);

// Texts of field_text.h. kOutOfRange: more than `second_digits` digits of a second (zeros
// at their end do not count).
TextFault encode_date(std::string_view text, std::string& into);
TextFault encode_time(std::string_view text, int second_digits, std::string& into);
// In UTC: an offset is applied, none means UTC.
TextFault encode_timestamp(std::string_view text, int second_digits, std::string& into);
TextFault encode_uuid(std::string_view text, std::string& into);

// The integer of an int2, int4 or int8. REQUIRES: it is one.
std::int64_t wire_integer(PostgresWire wire, std::string_view bytes);

// A value as text: numbers without zeros that say nothing (a float: the shortest that is
// it), "true", 2024-01-31, 10:30:00.25, 2024-01-31T10:30:00.25 (timestamptz: in UTC, with
// Z), bytes as \x and hex digits; what has no place in ISO 8601 as PostgreSQL writes it
// (infinity, 0044-03-15 BC). Of kCast: the text itself. PostgreSQL reads all of them.
void append_wire_text(PostgresWire wire, std::string_view bytes, std::string& into);

}  // namespace tallyman
