// The text of a splitter's checkpoint: a name, numbers and byte strings, in order.
//
//   CheckpointWriter out("csv1");
//   out.number(offset);
//   out.bytes(header);          // as hexadecimal digits: the text is always ASCII
//
//   CheckpointReader in("csv1", text);
//   const std::uint64_t offset = in.number();
//   const std::string header = in.bytes();
//   if (!in.complete()) ... not a text of ours
//
// Threads: none of its own. Errors: the reader gives zeros and empty strings from the
// first mistake on, and complete() is false.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tallyman {

class CheckpointWriter {
 public:
  explicit CheckpointWriter(std::string_view name) : text_(name) {}

  void number(std::uint64_t value);
  void bytes(std::string_view value);
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

class CheckpointReader {
 public:
  CheckpointReader(std::string_view name, std::string_view text);

  std::uint64_t number();
  std::string bytes();
  bool good() const { return good_; }
  // Everything was read, and nothing is left.
  bool complete() const { return good_ && rest_.empty(); }

 private:
  std::string_view next_word();

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace tallyman
