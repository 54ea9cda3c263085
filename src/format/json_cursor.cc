#include "format/json_cursor.h"

#include <bitset>

#include "model/json_number.h"

namespace tallyman {

bool JsonCursor::skip_scalar() {
  switch (peek()) {
    case '"': {
      const std::uint32_t* const before = next_;
      const auto inside = take_string();
      if (inside && is_json_string_inside(*inside)) return true;
      next_ = before;
      return false;
    }
    case 't': return token_text() == "true" && take('t');
    case 'f': return token_text() == "false" && take('f');
    case 'n': return token_text() == "null" && take('n');
    case '\0': return false;
    default:
      if (!is_json_number(token_text())) return false;
      skip_token();
      return true;
  }
}

// A loop and a stack of bits: text from outside never decides how deep we call.
std::optional<std::string_view> JsonCursor::take_nested(std::size_t depth) {
  const char* const begin = base_ + *next_;
  const std::size_t depth_around = depth;
  std::bitset<kDepthMax + 1> is_object;
  bool behind_open = false;  // A closing bracket may follow instead of a value.

  while (true) {
    // Before a key, value, or the end of a container that has just been opened.
    if (!(behind_open && (peek() == '}' || peek() == ']'))) {
      if (depth > depth_around && is_object[depth]) {
        if (peek() != '"' || !skip_scalar() || !take(':')) return std::nullopt;
      }
      if (peek() == '{' || peek() == '[') {
        if (++depth > kDepthMax) return std::nullopt;
        is_object[depth] = peek() == '{';
        skip_token();
        behind_open = true;
        continue;
      }
      if (!skip_scalar()) return std::nullopt;
    }
    behind_open = false;

    // Behind a value: as many containers end as there are closing brackets.
    while (peek() == (is_object[depth] ? '}' : ']')) {
      const char* const end = base_ + *next_ + 1;
      skip_token();
      if (--depth == depth_around) {
        return std::string_view(begin, static_cast<std::size_t>(end - begin));
      }
    }
    if (!take(',')) return std::nullopt;
  }
}

}  // namespace tallyman
