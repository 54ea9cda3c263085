#include "target/sqlite_job_rows.h"

#include <algorithm>
#include <stdexcept>

namespace tallyman {
namespace {

using Kind = Value::Kind;

constexpr int kRealDigits = 15;

RowValue of_integer(std::int64_t integer, const Field& field) {
  RowValue value;
  value.integer = integer;
  switch (field.type) {
    case FieldType::kFloat:
      value.kind = Kind::kFloat;
      value.real = static_cast<double>(integer);
      return value;
    case FieldType::kDecimal:
      value.kind = Kind::kDecimal;
      value.decimal = Decimal(integer);
      return value;
    case FieldType::kBoolean:
      value.kind = integer == 0 || integer == 1 ? Kind::kBoolean : Kind::kInteger;
      return value;
    default: value.kind = Kind::kInteger; return value;
  }
}

RowValue of_real(double real, const Field& field) {
  RowValue value;
  value.kind = Kind::kFloat;
  value.real = real;
  if (field.type == FieldType::kFloat) return value;
  auto decimal = field.scale ? Decimal::from_double(real, *field.scale)
                             : Decimal::from_double_significant(real, kRealDigits);
  if (!decimal) return value;
  value.kind = Kind::kDecimal;
  value.decimal = *std::move(decimal);
  return value;
}

}  // namespace

RowValue read_row_value(const db::SqliteStatement& row, int place, const Field& field) {
  RowValue value;
  switch (row.type(place)) {
    case db::SqliteType::kNull: return value;
    case db::SqliteType::kInteger: return of_integer(row.integer(place), field);
    case db::SqliteType::kFloat: return of_real(row.number(place), field);
    case db::SqliteType::kText:
      value.kind = Kind::kText;
      value.text = row.text(place);
      return value;
    case db::SqliteType::kBlob: {
      const auto bytes = row.blob(place);
      value.kind = Kind::kBytes;
      value.text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
      return value;
    }
  }
  CHECK(false);
}

bool SqliteJobRows::next() {
  texts_.clear();
  at_row_ = false;
  if (error_) return false;
  auto more = pass_->next();
  if (!more.ok()) {
    error_ = std::move(more).error();
    return false;
  }
  at_row_ = more.value();
  return at_row_;
}

Value SqliteJobRows::value(std::string_view field) const {
  const auto found =
      std::find_if(fields_.begin(), fields_.end(),
                   [&](const Field& known) { return known.name == field; });
  if (found == fields_.end() || !at_row_) {
    throw std::out_of_range(at_row_ ? "no field \"" + std::string(field) + "\""
                                    : "there is no row; call next() first");
  }
  const auto place = static_cast<std::size_t>(found - fields_.begin());
  const RowValue value = read_row_value(pass_->row(), pass_->place(place), *found);
  if (value.kind == Kind::kText || value.kind == Kind::kBytes) {
    return Value(value.kind, value.text);
  }
  texts_.emplace_back();
  value.append_text(texts_.back());
  return Value(value.kind, texts_.back());
}

}  // namespace tallyman
