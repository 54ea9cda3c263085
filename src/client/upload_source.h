// UploadSource: the bytes of an upload, a part at a time, so that a part can be sent
// again.
//
//   TALLY_TRY_ASSIGN(auto source, open_upload_file("people.csv"));
//   TALLY_TRY_ASSIGN(const std::uint64_t length, source->prepare(offset,
//   kUploadPartBytes));
//   ... read(offset ...) until offset + length ...
//
// Threads: one at a time.
// Memory:  a file: none of its own. gzip and standard input: one part.
// Errors:  kNotFound         no such file
//          kInvalidArgument  the offset lies behind the end, or cannot be gone back to
//          kUnreadable       the file is not gzip, is cut off, or changed while it was
//          read
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"

namespace tallyman::client {

// What is sent in one request: lost at most, when a connection drops.
inline constexpr std::uint64_t kUploadPartBytes = 8ULL << 20;

class UploadSource {
 public:
  virtual ~UploadSource() = default;

  // Makes the part at `offset` ready. Its length: at most `length_max`, 0 at the end.
  virtual Result<std::uint64_t> prepare(std::uint64_t offset,
                                        std::uint64_t length_max) = 0;

  // Copies bytes of the prepared part; never 0 within it.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> into) = 0;

  // Bytes in all, where that is known before the end.
  virtual std::optional<std::uint64_t> size() const = 0;

  // How much of it lies before `offset`, from 0 to 1, where that can be told.
  virtual std::optional<double> fraction(std::uint64_t offset) const = 0;
};

// A file as it is; read from disk in small pieces.
Result<std::unique_ptr<UploadSource>> open_upload_file(const std::string& path);

// What a gzip file holds, inflated while it is read.
Result<std::unique_ptr<UploadSource>> open_upload_gzip(const std::string& path);

// Standard input, or another open descriptor. Not owned; cannot go back by more than a
// part.
std::unique_ptr<UploadSource> make_upload_stream(int descriptor);

// Bytes in memory.
std::unique_ptr<UploadSource> make_upload_bytes(std::string bytes);

}  // namespace tallyman::client
