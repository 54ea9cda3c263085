// PostgresParams: values for $1, $2 ... of a statement, and arrays in the wire's form.
//
//   PostgresParams params;
//   params.add(17);                       // as text; the server infers the type
//   params.add_array(kInt8Oid, ids);      // binary
//
// Source of the forms: PostgreSQL's *_send and *_recv functions (big-endian; an array is
// dimensions, has-null, element type, then length and lower bound of each dimension, then
// each element as its length and its bytes; length -1 is NULL).
//
// Threads: one. Memory: copies what it is given, but for add_view().
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tallyman::db {

using Oid = std::uint32_t;
inline constexpr Oid kBoolOid = 16;
inline constexpr Oid kByteaOid = 17;
inline constexpr Oid kInt8Oid = 20;
inline constexpr Oid kInt2Oid = 21;
inline constexpr Oid kInt4Oid = 23;
inline constexpr Oid kTextOid = 25;
inline constexpr Oid kBoolArrayOid = 1000;
inline constexpr Oid kByteaArrayOid = 1001;
inline constexpr Oid kInt4ArrayOid = 1007;
inline constexpr Oid kTextArrayOid = 1009;
inline constexpr Oid kInt8ArrayOid = 1016;

// Big-endian, as on the wire.
inline void put_wire32(char* at, std::uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(at, &value, sizeof value);
}
inline void append_wire16(std::string& into, std::uint16_t value) {
  value = __builtin_bswap16(value);
  into.append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline void append_wire32(std::string& into, std::uint32_t value) {
  value = __builtin_bswap32(value);
  into.append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline void append_wire64(std::string& into, std::uint64_t value) {
  value = __builtin_bswap64(value);
  into.append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline std::uint64_t read_wire64(std::string_view bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return __builtin_bswap64(value);
}
inline std::uint32_t read_wire32(std::string_view bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return __builtin_bswap32(value);
}

// int2, int4 or int8, by its length.
inline std::int64_t read_wire_integer(std::string_view bytes) {
  if (bytes.size() == 8) return static_cast<std::int64_t>(read_wire64(bytes));
  if (bytes.size() == 4) return static_cast<std::int32_t>(read_wire32(bytes));
  const auto high = static_cast<std::uint8_t>(bytes[0]);
  const auto low = static_cast<std::uint8_t>(bytes[1]);
  return static_cast<std::int16_t>(high << 8 | low);
}

// What COPY BINARY begins with (signature, flags, length of a header's extension) and
// ends with (a field count of -1). Source: postgresql.org/docs/15/sql-copy.html, "Binary
// Format".
inline constexpr std::string_view kCopyHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
inline constexpr std::string_view kCopyTrailer("\377\377", 2);

// What an array begins with in the binary form: the number of its dimensions, flags (1:
// an element is NULL), the elements' type; then size and lower bound of each dimension;
// then the elements. Source: PostgreSQL's array_send(),
// src/backend/utils/adt/arrayfuncs.c.
inline constexpr std::size_t kArrayHeadBytes = 12;
inline constexpr std::size_t kDimensionBytes = 8;
inline constexpr std::size_t kArrayHeaderBytes = kArrayHeadBytes + kDimensionBytes;

// A one-dimensional array in the binary form, element by element.
class PostgresArray {
 public:
  explicit PostgresArray(Oid element) : element_(element) {
    bytes_.resize(kArrayHeaderBytes);
  }

  void add(std::string_view element) {
    append_wire32(bytes_, static_cast<std::uint32_t>(element.size()));
    bytes_ += element;
    ++count_;
  }
  void add_integer(std::int64_t element) {
    append_wire32(bytes_, 8);
    append_wire64(bytes_, static_cast<std::uint64_t>(element));
    ++count_;
  }
  void add_null() {
    append_wire32(bytes_, 0xFFFF'FFFF);
    has_null_ = true;
    ++count_;
  }
  void reserve(std::size_t bytes) { bytes_.reserve(kArrayHeaderBytes + bytes); }
  std::size_t size() const { return count_; }

  // The whole of it. Lives until the next add.
  std::string_view wire();

 private:
  Oid element_;
  bool has_null_ = false;
  std::uint32_t count_ = 0;
  std::string bytes_;
};

// Of an array of any dimensions.
inline bool has_null_element(std::string_view array) {
  return array.size() >= kArrayHeadBytes && read_wire32(array.substr(4)) != 0;
}

// Each element of it, in order. REQUIRES: none is NULL.
template <class Take>
void for_each_element(std::string_view array, Take take) {
  if (array.size() < kArrayHeadBytes) return;
  const std::size_t dimensions = read_wire32(array);
  for (std::size_t at = kArrayHeadBytes + dimensions * kDimensionBytes;
       at < array.size();) {
    const std::size_t size = read_wire32(array.substr(at));
    take(array.substr(at + 4, size));
    at += 4 + size;
  }
}

class PostgresParams {
 public:
  // Integers, booleans, text: in the text form. Bytes: as bytea. Empty optional: NULL.
  template <class Value>
  void add(const Value& value) {
    using Plain = std::remove_cvref_t<Value>;
    if constexpr (std::is_same_v<Plain, std::nullopt_t>) {
      add_null();
    } else if constexpr (requires {
                           value.has_value();
                           *value;
                         }) {
      value ? add(*value) : add_null();
    } else if constexpr (std::is_same_v<Plain, bool>) {
      add_text(value ? "t" : "f");
    } else if constexpr (std::is_enum_v<Plain>) {
      add_text(std::to_string(static_cast<std::int64_t>(value)));
    } else if constexpr (std::is_integral_v<Plain>) {
      add_text(std::to_string(value));
    } else if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
      add_text(value);
    } else {
      add_bytes(std::span<const std::uint8_t>(value));
    }
  }
  void add_text(std::string_view text) {
    kept_.emplace_back(text);
    push(kept_.back().c_str(), kept_.back().size(), 0, false);
  }
  void add_bytes(std::span<const std::uint8_t> bytes) {
    kept_.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    push(kept_.back().data(), bytes.size(), kByteaOid, true);
  }
  // Binary, of the type; what `bytes` points to must stay.
  void add_view(Oid type, std::string_view bytes) {
    push(bytes.data(), bytes.size(), type, true);
  }
  void add_integers(std::span<const std::int64_t> integers);  // bigint[]
  void add_null() { push(nullptr, 0, 0, false); }
  void add_null_of(Oid type) { push(nullptr, 0, type, true); }

  int size() const { return static_cast<int>(values_.size()); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }
  const Oid* types() const { return types_.data(); }

 private:
  void push(const char* data, std::size_t size, Oid type, bool binary) {
    values_.push_back(data);
    lengths_.push_back(static_cast<int>(size));
    formats_.push_back(binary ? 1 : 0);
    types_.push_back(type);
  }

  std::deque<std::string> kept_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  std::vector<Oid> types_;
};

}  // namespace tallyman::db
