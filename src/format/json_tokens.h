// JsonTokens: where the tokens of a JSON text begin, found by simdjson's first stage.
//
//   JsonTokens tokens;
//   if (tokens.find(bytes, size) == JsonTokens::Fault::kNone) {
//     for (const std::uint32_t place : tokens.places()) ...  // bytes[place]
//   }
//
// A token is a bracket, colon, comma, or the first byte of a string, number or word, or
// of anything else that is no white space. Strings are closed and hold no control
// characters, and all is UTF-8, or it is a fault; more is not known of it. Many records
// go into one call, which is what makes it fast.
//
// Threads: none of its own. Memory: 4 bytes for each byte of the longest text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace tallyman {

class JsonTokens {
 public:
  enum class Fault { kNone, kNotUtf8, kOpenString, kControlCharacter };

  JsonTokens();
  ~JsonTokens();

  // REQUIRES: size > 0, and 64 bytes can be read behind bytes[size].
  Fault find(const char* bytes, std::size_t size);

  // Of the last find() without a fault.
  std::span<const std::uint32_t> places() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tallyman
