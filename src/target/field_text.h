// The text forms of field types: what a cell must look like to be one.
//
//   std::int64_t value = 0;
//   if (parse_integer("41", value) == TextFault::kNone) ...
//
// Nothing is trimmed and nothing is guessed: " 41" is no integer. The same for every
// database.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/outcome.h"
#include "model/record_batch.h"
#include "model/resource.h"

namespace tallyman {

// A cell that is text, of CSV or JSON.
bool is_text(CellKind kind);
bool has_nul(std::string_view text);

enum class TextFault : std::uint8_t {
  kNone,
  kMalformed,   // Not written like one.
  kOutOfRange,  // Written like one, but larger than the type holds.
};

// What a record that has the fault fails with; nothing for none.
std::optional<RecordErrorCode> code_of(TextFault fault);

// [+-] digits, in the range of int64.
TextFault parse_integer(std::string_view text, std::int64_t& into);
// The nearest double; too small a number is zero, and zero has no sign. No NaN, no
// infinity.
TextFault parse_float(std::string_view text, double& into);
// true false t f 1 0, in any case of letters.
std::optional<bool> parse_boolean(std::string_view text);

// 2024-01-31, a day of the calendar, years 0001 to 9999.
bool is_date(std::string_view text);
// 10:30:00, to at most six digits of a second; 00:00:00 to 23:59:59.999999.
bool is_time(std::string_view text);
// A date, "T", "t" or a space, a time, and perhaps "Z" or an offset such as +05:30.
bool is_timestamp(std::string_view text);
// 8-4-4-4-12 hex digits, in any case of letters.
bool is_uuid(std::string_view text);
// One JSON value.
bool is_json(std::string_view text);

// \x and two hex digits a byte; appends the bytes. False where it is not that.
bool decode_bytes(std::string_view text, std::string& into);
std::string encode_bytes(std::span<const std::uint8_t> bytes);

// What a value of the type must look like: "must be a date such as 2024-01-31".
std::string_view type_rule(FieldType type);

}  // namespace tallyman
