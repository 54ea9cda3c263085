// BoundValue: one value in the form in which SQLite will store it, affinity and all, so
// that it can be compared with what is stored byte by byte.
//
// Lifetime: text and blobs are views; they live as long as the window that holds them.
// Threads:  a plain value.
#pragma once

#include <cstdint>
#include <string_view>

#include "db/sqlite.h"

namespace tallyman {

enum class BoundKind : std::uint8_t { kAbsent, kNull, kInteger, kReal, kText, kBlob };

struct BoundValue {
  union {
    std::int64_t integer;
    double real;
    const char* data;
  };
  std::uint32_t size = 0;  // Bytes of text and blobs.
  BoundKind kind = BoundKind::kAbsent;

  BoundValue() : integer(0) {}
  static BoundValue null() {
    BoundValue value;
    value.kind = BoundKind::kNull;
    return value;
  }
  static BoundValue of_integer(std::int64_t number) {
    BoundValue value;
    value.integer = number;
    value.kind = BoundKind::kInteger;
    return value;
  }
  static BoundValue of_real(double number) {
    BoundValue value;
    value.real = number;
    value.kind = BoundKind::kReal;
    return value;
  }
  static BoundValue of_text(std::string_view text, BoundKind kind = BoundKind::kText) {
    BoundValue value;
    value.data = text.data();
    value.size = static_cast<std::uint32_t>(text.size());
    value.kind = kind;
    return value;
  }

  // REQUIRES: kText or kBlob.
  std::string_view text() const { return {data, size}; }
};
static_assert(sizeof(BoundValue) == 16);

// An absent value is bound as NULL. Text and blobs are not copied.
void bind_value(db::SqliteStatement& statement, int place, const BoundValue& value);

// Is what is stored (a column of the row at hand) the value, type and bytes?
bool is_same_image(const db::SqliteStatement& row, int place, const BoundValue& value);

}  // namespace tallyman
