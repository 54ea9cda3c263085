// The parts of a multipart body (RFC 2046, 5.1), cut at their boundaries while it
// streams.
//
//   TALLY_TRY(parts.find_first());
//   while (!parts.closed()) {
//     TALLY_TRY_ASSIGN(const auto lines, parts.read_header_lines(8192));
//     while (bytes = parts.read(buffer)) ...   // 0: the part has ended
//   }
//
// Ownership: owns the source. Threads: one. Memory: 128 KiB.
// Errors: kUnreadable, kTooLarge for header lines; the source's own.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace tallyman::http {

class MultipartParts {
 public:
  MultipartParts(std::unique_ptr<BodyStream> source, std::string_view boundary);

  // Reads past the first boundary and whatever stands before it.
  Result<void> find_first();
  // The lines up to the empty one, without their ends.
  Result<std::vector<std::string>> read_header_lines(std::size_t bytes_max);
  // Bytes of the part; 0 once its boundary has been read.
  Result<std::size_t> read(std::span<char> into);
  // The last boundary read was the closing one.
  bool closed() const { return closed_; }

 private:
  enum class Tail { kBoundary, kClosing, kOther, kUnknown };

  std::string_view view() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t count) { begin_ += count; }
  // False at the end of the source.
  Result<bool> fill();
  Result<std::string> read_line(std::size_t bytes_max);
  Tail judge_tail(std::string_view after_boundary, std::size_t& length) const;
  // Where the next delimiter may begin: found whole, or as far as has arrived.
  std::size_t find_delimiter() const;
  Result<bool> take_delimiter(std::size_t length);
  static Error not_closed();

  const std::unique_ptr<BodyStream> source_;
  const std::string dashed_;  // "--boundary"
  std::string delimiter_;     // A line end and `dashed_`.
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool source_ended_ = false;
  bool at_part_start_ = false;  // A delimiter here needs no line end before it.
  bool part_ended_ = true;
  bool closed_ = false;
};

}  // namespace tallyman::http
