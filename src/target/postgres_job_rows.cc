#include "target/postgres_job_rows.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <stdexcept>

#include "base/check.h"
#include "target/postgres_wire.h"

namespace tallyman {
namespace {

using Kind = Value::Kind;

constexpr std::size_t kBatchBytes = 1U << 20;
constexpr int kBatchRowsMax = 4096;

double shortest_double(float value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  double nearest = value;
  std::from_chars(buffer, end.ptr, nearest);
  return nearest;
}

RowValue of_text(std::string_view text) {
  RowValue value;
  value.kind = Kind::kText;
  value.text = text;
  return value;
}

RowValue of_real(double real) {
  RowValue value;
  value.kind = Kind::kFloat;
  value.real = real;
  return value;
}

// NaN and infinities of a numeric are floats here: nothing exact can be made of them.
RowValue of_numeric(std::string_view bytes, std::string& scratch) {
  scratch.clear();
  append_wire_text(PostgresWire::kNumeric, bytes, scratch);
  auto decimal = Decimal::parse(scratch);
  if (!decimal) return of_real(std::strtod(scratch.c_str(), nullptr));
  RowValue value;
  value.kind = Kind::kDecimal;
  value.decimal = *std::move(decimal);
  return value;
}

}  // namespace

RowValue read_row_value(PostgresWire wire, std::string_view bytes, std::string& scratch) {
  RowValue value;
  switch (wire) {
    case PostgresWire::kInt2:
    case PostgresWire::kInt4:
    case PostgresWire::kInt8:
      value.kind = Kind::kInteger;
      value.integer = wire_integer(wire, bytes);
      return value;
    case PostgresWire::kFloat4:
      return of_real(shortest_double(std::bit_cast<float>(db::read_wire32(bytes))));
    case PostgresWire::kFloat8:
      return of_real(std::bit_cast<double>(db::read_wire64(bytes)));
    case PostgresWire::kNumeric: return of_numeric(bytes, scratch);
    case PostgresWire::kBool:
      value.kind = Kind::kBoolean;
      value.integer = bytes.front() != 0 ? 1 : 0;
      return value;
    case PostgresWire::kBytea:
      value.kind = Kind::kBytes;
      value.text = bytes;
      return value;
    case PostgresWire::kText:
    case PostgresWire::kEnum:
    case PostgresWire::kJson:
    case PostgresWire::kCast: return of_text(bytes);
    case PostgresWire::kJsonb: return of_text(bytes.substr(1));
    case PostgresWire::kDate:
    case PostgresWire::kTime:
    case PostgresWire::kTimestamp:
    case PostgresWire::kTimestamptz:
    case PostgresWire::kUuid:
      scratch.clear();
      append_wire_text(wire, bytes, scratch);
      return of_text(scratch);
  }
  CHECK(false);
}

Result<std::unique_ptr<PostgresCursor>> PostgresCursor::open(
    db::PostgresConnection& connection, std::string_view select) {
  std::unique_ptr<PostgresCursor> cursor(new PostgresCursor(connection));
  TALLY_TRY(connection.exec("DECLARE tallyman_rows NO SCROLL CURSOR FOR " +
                            std::string(select)));
  return cursor;
}

PostgresCursor::~PostgresCursor() {
  // Where this fails the transaction has failed, and takes it with it.
  (void)connection_.exec("CLOSE tallyman_rows").ok();
}

Result<void> PostgresCursor::fetch() {
  batch_.reset();
  TALLY_TRY_ASSIGN(auto batch,
                   connection_.execute_params(
                       "FETCH " + std::to_string(wanted_) + " FROM tallyman_rows",
                       db::PostgresParams(), true));
  row_ = -1;
  at_end_ = batch.rows() < wanted_;
  std::size_t bytes = 0;
  for (int row = 0; row < batch.rows(); ++row) {
    for (int column = 0; column < batch.columns(); ++column) {
      bytes += batch.text(row, column).size() + sizeof(void*) * 2;
    }
  }
  const std::size_t row_bytes =
      batch.rows() == 0 ? 1 : bytes / static_cast<std::size_t>(batch.rows()) + 1;
  wanted_ = static_cast<int>(std::clamp<std::size_t>(
      kBatchBytes / row_bytes, 1, std::min(kBatchRowsMax, wanted_ * 4)));
  batch_.emplace(std::move(batch));
  return {};
}

Result<bool> PostgresCursor::next() {
  while (!batch_ || row_ + 1 >= batch_->rows()) {
    if (at_end_) return false;
    TALLY_TRY(fetch());
  }
  ++row_;
  return true;
}

bool PostgresJobRows::next() {
  texts_.clear();
  at_row_ = false;
  if (error_) return false;
  auto more = cursor_->next();
  if (!more.ok()) {
    error_ = std::move(more).error();
    return false;
  }
  at_row_ = more.value();
  return at_row_;
}

Value PostgresJobRows::value(std::string_view field) const {
  const auto found =
      std::find_if(fields_.begin(), fields_.end(),
                   [&](const Field& known) { return known.name == field; });
  if (found == fields_.end() || !at_row_) {
    throw std::out_of_range(at_row_ ? "no field \"" + std::string(field) + "\""
                                    : "there is no row; call next() first");
  }
  const auto column = static_cast<int>(found - fields_.begin());
  if (cursor_->is_null(column)) return Value::null();
  std::string& text = texts_.emplace_back();
  const RowValue value = read_row_value(found->wire, cursor_->bytes(column), text);
  if (value.kind == Kind::kText || value.kind == Kind::kBytes) {
    return Value(value.kind, value.text);
  }
  text.clear();
  value.append_text(text);
  return Value(value.kind, text);
}

}  // namespace tallyman
