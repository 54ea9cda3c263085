#include "target/sqlite_value.h"

#include <cstring>

namespace tallyman {
namespace {

std::span<const std::uint8_t> bytes_of(const BoundValue& value) {
  return {reinterpret_cast<const std::uint8_t*>(value.data), value.size};
}

}  // namespace

void bind_value(db::SqliteStatement& statement, int place, const BoundValue& value) {
  switch (value.kind) {
    case BoundKind::kAbsent:
    case BoundKind::kNull: statement.bind_null(place); return;
    case BoundKind::kInteger: statement.bind_integer(place, value.integer); return;
    case BoundKind::kReal: statement.bind_float(place, value.real); return;
    case BoundKind::kText: statement.bind_text(place, value.text()); return;
    case BoundKind::kBlob: statement.bind_blob(place, bytes_of(value)); return;
  }
}

bool is_same_image(const db::SqliteStatement& row, int place, const BoundValue& value) {
  using db::SqliteType;
  const SqliteType type = row.type(place);
  switch (value.kind) {
    case BoundKind::kAbsent: return false;
    case BoundKind::kNull: return type == SqliteType::kNull;
    case BoundKind::kInteger:
      return type == SqliteType::kInteger && row.integer(place) == value.integer;
    case BoundKind::kReal:
      return type == SqliteType::kFloat && row.number(place) == value.real;
    case BoundKind::kText:
      return type == SqliteType::kText && row.text(place) == value.text();
    case BoundKind::kBlob: {
      if (type != SqliteType::kBlob) return false;
      const auto stored = row.blob(place);
      return stored.size() == value.size &&
             (value.size == 0 || std::memcmp(stored.data(), value.data, value.size) == 0);
    }
  }
  return false;
}

}  // namespace tallyman
