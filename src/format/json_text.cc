#include "format/json_text.h"

#include <cstdint>
#include <cstring>

namespace tallyman {
namespace {

constexpr bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// The four hexadecimal digits at `from`, or nullopt.
std::optional<std::uint32_t> hex4(std::string_view text, std::size_t from) {
  if (text.size() < from + 4) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = from; i < from + 4; ++i) {
    const char byte = text[i];
    const char lower = static_cast<char>(byte | 0x20);
    std::uint32_t digit;
    if (is_digit(byte)) {
      digit = static_cast<std::uint32_t>(byte - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      digit = static_cast<std::uint32_t>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
    value = value * 16 + digit;
  }
  return value;
}

struct CodePoint {
  std::uint32_t value;
  std::size_t escape_bytes;  // Of the escape, from its backslash.
};

// The \u escape at `from`, with the second half of its pair.
std::optional<CodePoint> unicode_escape(std::string_view text, std::size_t from) {
  const auto first = hex4(text, from + 2);
  if (!first || *first == 0) return std::nullopt;
  if (*first < 0xD800 || *first > 0xDFFF) return CodePoint{*first, 6};
  if (*first > 0xDBFF || text.substr(from + 6, 2) != "\\u") return std::nullopt;
  const auto second = hex4(text, from + 8);
  if (!second || *second < 0xDC00 || *second > 0xDFFF) return std::nullopt;
  return CodePoint{0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00), 12};
}

char* append_utf8(std::uint32_t code_point, char* out) {
  const auto put = [&](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
  return out;
}

// What the letter behind a backslash stands for, or 0.
char short_escape(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/': return letter;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

const char* find_backslash(const char* begin, const char* end) {
  const void* found = std::memchr(begin, '\\', static_cast<std::size_t>(end - begin));
  return found == nullptr ? end : static_cast<const char*>(found);
}

// One decoder for both: without `kWrites` it only judges.
template <bool kWrites>
std::optional<std::size_t> decode(std::string_view inside, char* out) {
  char* written = out;
  std::size_t done = 0;
  while (done < inside.size()) {
    const char* begin = inside.data() + done;
    const char* plain_end = find_backslash(begin, inside.data() + inside.size());
    const auto plain = static_cast<std::size_t>(plain_end - begin);
    if constexpr (kWrites) {
      std::memcpy(written, begin, plain);
      written += plain;
    }
    done += plain;
    if (done == inside.size()) break;

    const char letter = done + 1 < inside.size() ? inside[done + 1] : '\0';
    if (letter == 'u') {
      const auto code_point = unicode_escape(inside, done);
      if (!code_point) return std::nullopt;
      if constexpr (kWrites) written = append_utf8(code_point->value, written);
      done += code_point->escape_bytes;
      continue;
    }
    const char byte = short_escape(letter);
    if (byte == 0) return std::nullopt;
    if constexpr (kWrites) *written++ = byte;
    done += 2;
  }
  return kWrites ? static_cast<std::size_t>(written - out) : 0;
}

}  // namespace

std::optional<std::size_t> json_unescape(std::string_view inside, char* out) {
  return decode<true>(inside, out);
}

bool is_json_string_inside(std::string_view inside) {
  return decode<false>(inside, nullptr).has_value();
}

}  // namespace tallyman
