#include "target/postgres_column_binder.h"

#include <algorithm>

#include "base/check.h"
#include "db/postgres_params.h"
#include "target/field_text.h"
#include "target/postgres_numeric.h"
#include "target/postgres_wire.h"

namespace tallyman {
namespace {

using enum RecordErrorCode;

constexpr int kSecondDigitsMax = 6;

// The cell as it is written; what JSON says without a text of its own, too.
std::string_view written(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::kTrue: return "true";
    case CellKind::kFalse: return "false";
    default: return cell.text();
  }
}

// jsonb keeps text, and text has no U+0000. REQUIRES: it is JSON.
bool has_escaped_nul(std::string_view json) {
  constexpr std::string_view kEscape = "\\u0000";
  for (std::size_t at = json.find(kEscape); at != std::string_view::npos;
       at = json.find(kEscape, at + 1)) {
    std::size_t before = at;
    while (before > 0 && json[before - 1] == '\\') --before;
    if ((at - before) % 2 == 0) return true;
  }
  return false;
}

}  // namespace

PostgresColumnBinder::PostgresColumnBinder(const Field& field, const PostgresType& type,
                                           bool may_write, FieldChecker checker)
    : name_(field.name),
      field_type_(field.type),
      wire_(type.wire),
      precision_(type.precision),
      scale_(type.scale),
      second_digits_(type.second_digits.value_or(kSecondDigitsMax)),
      labels_(type.labels),
      generated_(field.generated),
      may_write_(may_write),
      checker_(std::move(checker)) {
  labels_rule_ = "must be one of: " + list_choices(labels_);
  std::sort(labels_.begin(), labels_.end());
}

Result<PostgresColumnBinder> PostgresColumnBinder::make(const Field& field,
                                                        const PostgresType& type,
                                                        bool may_write) {
  TALLY_TRY_ASSIGN(FieldChecker checker, FieldChecker::make(field));
  return PostgresColumnBinder(field, type, may_write, std::move(checker));
}

bool PostgresColumnBinder::bind(const Cell& cell, std::string& bytes, CellState& state,
                                RecordError& into_error) const {
  state = CellState::kAbsent;
  if (cell.kind == CellKind::kAbsent) return true;
  if (!may_write_) {
    into_error = {kUnknownField, name_,
                  generated_ ? "is computed by the database; leave it away"
                             : "is read-only; leave it away"};
    return false;
  }
  if (cell.kind == CellKind::kNull) {
    state = CellState::kNull;
    return true;
  }
  const std::size_t begin = bytes.size();
  if (const Code code = bind_value(cell, bytes)) {
    bytes.resize(begin);
    into_error = error(*code);
    return false;
  }
  state = CellState::kValue;
  auto broken = check(cell, std::string_view(bytes).substr(begin));
  if (!broken) return true;
  bytes.resize(begin);
  state = CellState::kAbsent;
  into_error = *std::move(broken);
  return false;
}

PostgresColumnBinder::Code PostgresColumnBinder::bind_value(const Cell& cell,
                                                            std::string& bytes) const {
  const std::string_view text = written(cell);
  switch (wire_) {
    case PostgresWire::kInt2:
    case PostgresWire::kInt4:
    case PostgresWire::kInt8:
    case PostgresWire::kFloat4:
    case PostgresWire::kFloat8:
    case PostgresWire::kNumeric:
      if (!is_text(cell.kind) && cell.kind != CellKind::kNumber) return kInvalidType;
      return bind_number_or_time(text, bytes);
    case PostgresWire::kDate:
    case PostgresWire::kTime:
    case PostgresWire::kTimestamp:
    case PostgresWire::kTimestamptz:
    case PostgresWire::kUuid:
      if (!is_text(cell.kind)) return kInvalidType;
      return bind_number_or_time(text, bytes);
    case PostgresWire::kBool: {
      const auto value =
          cell.kind == CellKind::kJson ? std::nullopt : parse_boolean(text);
      if (!value) return kInvalidType;
      bytes += *value ? '\1' : '\0';
      return std::nullopt;
    }
    case PostgresWire::kText:
      if (!is_text(cell.kind) || has_nul(text)) return kInvalidType;
      bytes += text;
      return std::nullopt;
    case PostgresWire::kEnum:
      if (!is_text(cell.kind) || has_nul(text)) return kInvalidType;
      if (!std::binary_search(labels_.begin(), labels_.end(), text)) {
        return kInvalidChoice;
      }
      bytes += text;
      return std::nullopt;
    case PostgresWire::kJson:
    case PostgresWire::kJsonb: return bind_json(cell, bytes);
    case PostgresWire::kBytea:
      return is_text(cell.kind) && decode_bytes(text, bytes) ? Code() : kInvalidType;
    case PostgresWire::kCast:
      if (cell.kind == CellKind::kJson || has_nul(text)) return kInvalidType;
      bytes += text;
      return std::nullopt;
  }
  CHECK(false);
}

PostgresColumnBinder::Code PostgresColumnBinder::bind_number_or_time(
    std::string_view text, std::string& bytes) const {
  switch (wire_) {
    case PostgresWire::kFloat4: return code_of(encode_float4(text, bytes));
    case PostgresWire::kFloat8: return code_of(encode_float8(text, bytes));
    case PostgresWire::kNumeric:
      return code_of(encode_numeric(text, precision_, scale_, bytes));
    case PostgresWire::kDate: return code_of(encode_date(text, bytes));
    case PostgresWire::kTime: return code_of(encode_time(text, second_digits_, bytes));
    case PostgresWire::kTimestamp:
    case PostgresWire::kTimestamptz:
      return code_of(encode_timestamp(text, second_digits_, bytes));
    case PostgresWire::kUuid: return code_of(encode_uuid(text, bytes));
    default: return bind_integer(text, bytes);
  }
}

PostgresColumnBinder::Code PostgresColumnBinder::bind_integer(std::string_view text,
                                                              std::string& bytes) const {
  std::int64_t value = 0;
  const TextFault fault = parse_integer(text, value);
  if (fault != TextFault::kNone) return code_of(fault);
  switch (wire_) {
    case PostgresWire::kInt2:
      if (value < INT16_MIN || value > INT16_MAX) return kValueOutOfRange;
      db::append_wire16(bytes, static_cast<std::uint16_t>(value));
      return std::nullopt;
    case PostgresWire::kInt4:
      if (value < INT32_MIN || value > INT32_MAX) return kValueOutOfRange;
      db::append_wire32(bytes, static_cast<std::uint32_t>(value));
      return std::nullopt;
    default:
      db::append_wire64(bytes, static_cast<std::uint64_t>(value));
      return std::nullopt;
  }
}

PostgresColumnBinder::Code PostgresColumnBinder::bind_json(const Cell& cell,
                                                           std::string& bytes) const {
  const std::string_view text = written(cell);
  if (is_text(cell.kind) && !is_json(text)) return kInvalidType;
  if (wire_ == PostgresWire::kJsonb) {
    if (has_escaped_nul(text)) return kInvalidType;
    bytes += '\1';  // The version of the form.
  }
  bytes += text;
  return std::nullopt;
}

std::optional<RecordError> PostgresColumnBinder::check(const Cell& cell,
                                                       std::string_view wire) const {
  if (checker_.trivial()) {
    if (field_type_ != FieldType::kText || !checker_.is_too_long(wire)) {
      return std::nullopt;
    }
    return checker_.too_long();
  }
  std::string text;
  switch (field_type_) {
    case FieldType::kInteger:
      append_wire_text(wire_, wire, text);
      return checker_.check(Value(Value::Kind::kInteger, text));
    case FieldType::kDecimal:
      append_wire_text(wire_, wire, text);
      return checker_.check(Value(Value::Kind::kDecimal, text));
    case FieldType::kFloat:
      append_wire_text(wire_, wire, text);
      return checker_.check(Value(Value::Kind::kFloat, text));
    case FieldType::kBoolean:
      append_wire_text(wire_, wire, text);
      return checker_.check(Value(Value::Kind::kBoolean, text));
    case FieldType::kBytes: return checker_.check(Value(Value::Kind::kBytes, wire));
    case FieldType::kText:
    case FieldType::kDate:
    case FieldType::kTime:
    case FieldType::kTimestamp:
    case FieldType::kUuid:
    case FieldType::kJson:
    case FieldType::kAny: return checker_.check(Value(Value::Kind::kText, written(cell)));
  }
  CHECK(false);
}

std::string PostgresColumnBinder::range_rule() const {
  switch (wire_) {
    case PostgresWire::kInt2: return "must be from -32768 to 32767";
    case PostgresWire::kInt4: return "must be from -2147483648 to 2147483647";
    case PostgresWire::kInt8:
      return "must be from -9223372036854775808 to 9223372036854775807";
    case PostgresWire::kFloat4:
    case PostgresWire::kFloat8: return "is larger than a float can be";
    case PostgresWire::kNumeric: break;
    default:
      return "must have at most " + std::to_string(second_digits_) +
             " digits after the point of its second";
  }
  const int scale = precision_ ? scale_.value_or(0) : kNumericScaleMax;
  const int whole = precision_ ? *precision_ - scale : kNumericWholeDigitsMax;
  std::string rule = "must have at most " + std::to_string(std::max(whole, 0)) +
                     " digits before and " + std::to_string(std::max(scale, 0)) +
                     " after the point";
  if (scale < 0) rule += ", the last " + std::to_string(-scale) + " before it zeros";
  if (whole < 0) rule += ", the first " + std::to_string(-whole) + " after it zeros";
  return rule;
}

RecordError PostgresColumnBinder::error(RecordErrorCode code) const {
  if (code == kInvalidChoice) return {code, name_, labels_rule_};
  if (code == kValueOutOfRange) return {code, name_, range_rule()};
  return {code, name_, std::string(type_rule(field_type_))};
}

}  // namespace tallyman
