#include "target/sqlite_column_binder.h"

#include <charconv>

#include "base/check.h"
#include "base/decimal.h"
#include "target/field_text.h"

namespace tallyman {
namespace {

using enum RecordErrorCode;

// Digits that every double keeps.
constexpr int kDoubleDigits = 15;

// As SQLite sees white space around a number.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// The number as SQLite will hold it: whole numbers as int64 where they fit, others as the
// nearest double. False where that is not the same number.
bool to_stored(const Decimal& number, std::optional<int> scale, BoundValue& into) {
  if (const auto integer = number.integer()) {
    into = BoundValue::of_integer(*integer);
    return true;
  }
  const double stored = number.nearest_double();
  into = BoundValue::of_real(stored);
  if (number.whole_digits() + number.scale() <= kDoubleDigits) return true;
  const auto read_back = scale ? Decimal::from_double(stored, *scale)
                               : Decimal::from_double_significant(stored, kDoubleDigits);
  return read_back && *read_back == number;
}

}  // namespace

SqliteColumnBinder::SqliteColumnBinder(const Field& field, SqliteAffinity affinity,
                                       bool may_write, FieldChecker checker)
    : name_(field.name),
      type_(field.type),
      affinity_(affinity),
      precision_(field.precision),
      scale_(field.scale),
      generated_(field.generated),
      may_write_(may_write),
      checker_(std::move(checker)) {}

Result<SqliteColumnBinder> SqliteColumnBinder::make(const Field& field,
                                                    SqliteAffinity affinity,
                                                    bool may_write) {
  TALLY_TRY_ASSIGN(FieldChecker checker, FieldChecker::make(field));
  return SqliteColumnBinder(field, affinity, may_write, std::move(checker));
}

bool SqliteColumnBinder::bind(const Cell& cell, std::deque<std::string>& arena,
                              BoundValue& into, RecordError& into_error) const {
  if (cell.kind == CellKind::kAbsent) {
    into = BoundValue();
    return true;
  }
  if (!may_write_) {
    into_error = {kUnknownField, name_,
                  generated_ ? "is computed by the database; leave it away"
                             : "is read-only; leave it away"};
    return false;
  }
  if (cell.kind == CellKind::kNull) {
    into = BoundValue::null();
    return true;
  }
  if (const Code code = bind_cell(cell, arena, into)) {
    into_error = error(*code);
    return false;
  }
  if (into.kind == BoundKind::kText && type_ == FieldType::kText &&
      checker_.is_too_long(into.text()) && checker_.trivial()) {
    into_error = checker_.too_long();
    return false;
  }
  if (checker_.trivial()) return true;
  if (auto broken = check(cell, into)) {
    into_error = *std::move(broken);
    return false;
  }
  return true;
}

SqliteColumnBinder::Code SqliteColumnBinder::bind_cell(const Cell& cell,
                                                       std::deque<std::string>& arena,
                                                       BoundValue& into) const {
  const std::string_view text = cell.text();
  const bool text_or_number = is_text(cell.kind) || cell.kind == CellKind::kNumber;
  switch (type_) {
    case FieldType::kInteger:
      into.kind = BoundKind::kInteger;
      return text_or_number ? code_of(parse_integer(text, into.integer)) : kInvalidType;
    case FieldType::kFloat:
      into.kind = BoundKind::kReal;
      return text_or_number ? code_of(parse_float(text, into.real)) : kInvalidType;
    case FieldType::kDecimal:
      return text_or_number ? bind_decimal(text, into) : kInvalidType;
    case FieldType::kBoolean: {
      const auto value = text_or_number ? parse_boolean(text)
                         : cell.kind == CellKind::kJson
                             ? std::nullopt
                             : std::optional(cell.kind == CellKind::kTrue);
      if (!value) return kInvalidType;
      into = BoundValue::of_integer(*value ? 1 : 0);
      return std::nullopt;
    }
    case FieldType::kText:
      into = BoundValue::of_text(text);
      return is_text(cell.kind) && !has_nul(text) ? Code() : kInvalidType;
    case FieldType::kDate:
      into = BoundValue::of_text(text);
      return is_text(cell.kind) && is_date(text) ? Code() : kInvalidType;
    case FieldType::kTime:
      into = BoundValue::of_text(text);
      return is_text(cell.kind) && is_time(text) ? Code() : kInvalidType;
    case FieldType::kTimestamp:
      into = BoundValue::of_text(text);
      return is_text(cell.kind) && is_timestamp(text) ? Code() : kInvalidType;
    case FieldType::kUuid:
      into = BoundValue::of_text(text);
      return is_text(cell.kind) && is_uuid(text) ? Code() : kInvalidType;
    case FieldType::kJson: return bind_json(cell, into);
    case FieldType::kBytes: {
      std::string bytes;
      if (!is_text(cell.kind) || !decode_bytes(text, bytes)) return kInvalidType;
      arena.push_back(std::move(bytes));
      into = BoundValue::of_text(arena.back(), BoundKind::kBlob);
      return std::nullopt;
    }
    case FieldType::kAny: return bind_any(cell, into);
  }
  CHECK(false);
}

SqliteColumnBinder::Code SqliteColumnBinder::bind_decimal(std::string_view text,
                                                          BoundValue& into) const {
  const auto number = Decimal::parse(text);
  if (!number) return Decimal::is_number(text) ? kValueOutOfRange : kInvalidType;
  if (scale_ && number->scale() > *scale_) return kValueOutOfRange;
  if (precision_ && number->whole_digits() > *precision_ - scale_.value_or(0)) {
    return kValueOutOfRange;
  }
  return to_stored(*number, scale_, into) ? Code() : kValueOutOfRange;
}

std::optional<SqliteColumnBinder::Code> SqliteColumnBinder::bind_numeric_text(
    std::string_view text, BoundValue& into) const {
  if (affinity_ != SqliteAffinity::kNumeric) return std::nullopt;
  const auto number = Decimal::parse(trimmed(text));
  if (number) return to_stored(*number, std::nullopt, into) ? Code() : kValueOutOfRange;
  if (Decimal::is_number(trimmed(text))) return Code(kValueOutOfRange);
  return std::nullopt;
}

SqliteColumnBinder::Code SqliteColumnBinder::bind_any(const Cell& cell,
                                                      BoundValue& into) const {
  switch (cell.kind) {
    case CellKind::kText:
    case CellKind::kQuotedText:
      if (const auto numeric = bind_numeric_text(cell.text(), into)) return *numeric;
      into = BoundValue::of_text(cell.text());
      return has_nul(cell.text()) ? kInvalidType : Code();
    case CellKind::kNumber: {
      const auto number = Decimal::parse(cell.text());
      if (!number) return kValueOutOfRange;
      return to_stored(*number, std::nullopt, into) ? Code() : kValueOutOfRange;
    }
    case CellKind::kTrue:
    case CellKind::kFalse:
      into = BoundValue::of_integer(cell.kind == CellKind::kTrue ? 1 : 0);
      return std::nullopt;
    case CellKind::kJson: into = BoundValue::of_text(cell.text()); return std::nullopt;
    case CellKind::kAbsent:
    case CellKind::kNull: break;
  }
  CHECK(false);
}

SqliteColumnBinder::Code SqliteColumnBinder::bind_json(const Cell& cell,
                                                       BoundValue& into) const {
  std::string_view text = cell.text();
  if (cell.kind == CellKind::kTrue) text = "true";
  if (cell.kind == CellKind::kFalse) text = "false";
  if (is_text(cell.kind) && !is_json(text)) return kInvalidType;
  if (const auto numeric = bind_numeric_text(text, into)) return *numeric;
  into = BoundValue::of_text(text);
  return std::nullopt;
}

std::optional<RecordError> SqliteColumnBinder::check(const Cell& cell,
                                                     const BoundValue& value) const {
  std::string text;
  switch (value.kind) {
    case BoundKind::kInteger:
      if (type_ == FieldType::kBoolean) {
        return checker_.check(
            Value(Value::Kind::kBoolean, value.integer != 0 ? "true" : "false"));
      }
      text = std::to_string(value.integer);
      return checker_.check(Value(
          type_ == FieldType::kDecimal ? Value::Kind::kDecimal : Value::Kind::kInteger,
          text));
    case BoundKind::kReal: {
      if (type_ != FieldType::kFloat) {
        text = Decimal::parse(trimmed(cell.text())).value_or(Decimal()).to_string();
        return checker_.check(Value(Value::Kind::kDecimal, text));
      }
      char buffer[32];
      const auto end = std::to_chars(buffer, buffer + sizeof buffer, value.real);
      return checker_.check(
          Value(Value::Kind::kFloat,
                std::string_view(buffer, static_cast<std::size_t>(end.ptr - buffer))));
    }
    case BoundKind::kText: return checker_.check(Value(Value::Kind::kText, value.text()));
    case BoundKind::kBlob:
      return checker_.check(Value(Value::Kind::kBytes, value.text()));
    case BoundKind::kAbsent:
    case BoundKind::kNull: break;
  }
  return std::nullopt;
}

RecordError SqliteColumnBinder::error(RecordErrorCode code) const {
  if (code != kValueOutOfRange) return {code, name_, std::string(type_rule(type_))};
  if (type_ == FieldType::kInteger) {
    return {code, name_, "must be from -9223372036854775808 to 9223372036854775807"};
  }
  if (type_ == FieldType::kFloat) return {code, name_, "is larger than a float can be"};
  std::string rule = "must have at most ";
  if (precision_) {
    rule += std::to_string(*precision_ - scale_.value_or(0)) + " digits before and " +
            std::to_string(scale_.value_or(0)) + " after the point";
    if (*precision_ > kDoubleDigits) {
      rule += ", and be a number that SQLite can keep exactly (15 digits always are)";
    }
  } else {
    rule += "15 digits, which is what SQLite keeps exactly";
  }
  return {code, name_, std::move(rule)};
}

}  // namespace tallyman
