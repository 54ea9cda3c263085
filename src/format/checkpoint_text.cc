#include "format/checkpoint_text.h"

#include <charconv>

namespace tallyman {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
// Before the digits of a byte string, so that an empty one is a word too.
constexpr char kBytesMark = 'x';

}  // namespace

void CheckpointWriter::number(std::uint64_t value) {
  text_ += ' ';
  text_ += std::to_string(value);
}

void CheckpointWriter::bytes(std::string_view value) {
  text_ += ' ';
  text_ += kBytesMark;
  for (const char byte : value) {
    text_ += kDigits[static_cast<unsigned char>(byte) >> 4];
    text_ += kDigits[static_cast<unsigned char>(byte) & 15];
  }
}

CheckpointReader::CheckpointReader(std::string_view name, std::string_view text)
    : rest_(text) {
  if (!rest_.starts_with(name)) {
    good_ = false;
    return;
  }
  rest_.remove_prefix(name.size());
}

std::string_view CheckpointReader::next_word() {
  if (!good_ || !rest_.starts_with(' ')) {
    good_ = false;
    return {};
  }
  rest_.remove_prefix(1);
  const std::string_view word = rest_.substr(0, rest_.find(' '));
  rest_.remove_prefix(word.size());
  return word;
}

std::uint64_t CheckpointReader::number() {
  const std::string_view word = next_word();
  std::uint64_t value = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc() || stop != end) good_ = false;
  return good_ ? value : 0;
}

std::string CheckpointReader::bytes() {
  const std::string_view word = next_word();
  if (word.size() % 2 != 1 || word.front() != kBytesMark) {
    good_ = false;
    return {};
  }
  std::string value;
  for (std::size_t i = 1; i < word.size(); i += 2) {
    const std::size_t high = kDigits.find(word[i]);
    const std::size_t low = kDigits.find(word[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      good_ = false;
      return {};
    }
    value += static_cast<char>(high * 16 + low);
  }
  return value;
}

}  // namespace tallyman
