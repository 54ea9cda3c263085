// JsonCursor: goes through the tokens of one JSON text and checks the grammar (RFC 8259).
//
//   JsonCursor cursor(text, base, places);
//   if (cursor.take('{')) ...
//   if (const auto inside = cursor.take_string()) ...
//   if (!cursor.skip_nested()) return malformed(cursor.offset());
//
// Ownership: looks at the text and the places; both must outlive it.
// Threads:   none of its own. Errors: `false` or nullopt, with the cursor before the
// token
//            that is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "format/json_text.h"
#include "model/limits.h"

namespace tallyman {

class JsonCursor {
 public:
  static constexpr std::size_t kDepthMax = limits::kRecordDepthMax;

  // `places` are those of JsonTokens in `text`, counted from `base`.
  JsonCursor(std::string_view text, const char* base,
             std::span<const std::uint32_t> places)
      : text_(text),
        base_(base),
        next_(places.data()),
        end_(places.data() + places.size()) {}

  bool at_end() const { return next_ == end_; }

  // The first byte of the next token; 0 at the end.
  char peek() const { return at_end() ? '\0' : base_[*next_]; }

  // Bytes from the start of the text to the next token.
  std::size_t offset() const {
    return at_end() ? text_.size()
                    : static_cast<std::size_t>(base_ + *next_ - text_.data());
  }

  // Goes over the bracket, colon or comma `byte`, if it is next.
  bool take(char byte) {
    if (peek() != byte) return false;
    ++next_;
    return true;
  }

  // What stands between the quotes of the next token, not decoded.
  std::optional<std::string_view> take_string() {
    if (peek() != '"') return std::nullopt;
    const std::string_view token = token_text();
    if (token.size() < 2 || token.back() != '"') return std::nullopt;
    ++next_;
    return token.substr(1, token.size() - 2);
  }

  // The next token as it is written.
  // REQUIRES: !at_end().
  std::string_view token_text() const {
    const char* const begin = base_ + *next_;
    const char* const limit =
        next_ + 1 == end_ ? text_.data() + text_.size() : base_ + next_[1];
    return trim_json_end({begin, static_cast<std::size_t>(limit - begin)});
  }
  void skip_token() { ++next_; }

  // Goes over one value that is no object or array.
  bool skip_scalar();

  // Goes over the object or array that begins with the next token; its text.
  // `depth`: how many brackets stand open around it.
  std::optional<std::string_view> take_nested(std::size_t depth);

 private:
  std::string_view text_;
  const char* base_;
  const std::uint32_t* next_;
  const std::uint32_t* end_;
};

}  // namespace tallyman
