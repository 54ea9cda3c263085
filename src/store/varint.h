// Varints: unsigned numbers in 7-bit groups, the lowest first (LEB128); signed ones
// folded so that small ones of either sign are short (zig-zag). A reader that never
// passes the end.
//
//   ByteWriter out;  out.number(300).text("name");
//   ByteReader in(bytes);  const auto n = in.number();  if (in.failed()) ...
//
// Errors: a reader that was asked for more than there is has failed() from then on and
//         gives zeros.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tallyman {

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^
         static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

class ByteWriter {
 public:
  ByteWriter& byte(std::uint8_t value) {
    bytes_.push_back(value);
    return *this;
  }
  ByteWriter& number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      bytes_.push_back(static_cast<std::uint8_t>(value | 0x80));
    }
    return byte(static_cast<std::uint8_t>(value));
  }
  ByteWriter& signed_number(std::int64_t value) { return number(zigzag(value)); }
  // Its length first.
  ByteWriter& text(std::string_view value) {
    number(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint8_t byte() {
    if (bytes_.empty()) return fail();
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint64_t group = byte();
      if (shift == 63 && group > 1) return fail();
      value |= (group & 0x7F) << shift;
      if (group < 0x80) return value;
    }
    return fail();
  }
  std::int64_t signed_number() { return unzigzag(number()); }
  // Points into the bytes.
  std::string_view text() {
    const std::uint64_t size = number();
    if (size > bytes_.size()) {
      fail();
      return {};
    }
    const std::string_view value(reinterpret_cast<const char*>(bytes_.data()), size);
    bytes_ = bytes_.subspan(size);
    return value;
  }

  std::size_t left() const { return bytes_.size(); }
  bool failed() const { return failed_; }
  std::uint8_t fail() {
    failed_ = true;
    bytes_ = {};
    return 0;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool failed_ = false;
};

}  // namespace tallyman
