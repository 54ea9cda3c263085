// BufferedSource: an upload that can only be read forward, kept a part at a time so that
// the part under way can be sent again.
//
// Ownership: owns its reader.
// Threads:   one at a time.
// Memory:    one part.
#pragma once

#include <memory>
#include <string>

#include "client/upload_source.h"

namespace tallyman::client {

// Reads forward.
class ForwardReader {
 public:
  virtual ~ForwardReader() = default;
  // 0 at the end.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
  // Goes back to the first byte; kInvalidArgument where that cannot be done.
  virtual Result<void> rewind() = 0;
  // How much has been read, from 0 to 1, where that can be told.
  virtual std::optional<double> fraction() const = 0;
};

class BufferedSource final : public UploadSource {
 public:
  explicit BufferedSource(std::unique_ptr<ForwardReader> reader)
      : reader_(std::move(reader)) {}

  Result<std::uint64_t> prepare(std::uint64_t offset, std::uint64_t length_max) override;
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override;
  std::optional<std::uint64_t> size() const override { return std::nullopt; }
  std::optional<double> fraction(std::uint64_t) const override {
    return reader_->fraction();
  }

 private:
  Result<void> skip_to(std::uint64_t offset);
  Result<void> fill(std::uint64_t length);

  std::unique_ptr<ForwardReader> reader_;
  std::uint64_t start_ = 0;  // Of part_ in the upload.
  std::string part_;         // The reader stands at its end.
};

}  // namespace tallyman::client
