#include "client/buffered_source.h"

#include <errno.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace tallyman::client {
namespace {

constexpr std::size_t kReadBytes = 256 << 10;

class DescriptorReader final : public ForwardReader {
 public:
  explicit DescriptorReader(int descriptor) : descriptor_(descriptor) {}

  Result<std::size_t> read(std::span<char> into) override {
    ssize_t count = 0;
    do {
      count = ::read(descriptor_, into.data(), into.size());
    } while (count < 0 && errno == EINTR);
    if (count >= 0) return static_cast<std::size_t>(count);
    return Error{ErrorCode::kUnreadable,
                 fmt::format("cannot read the input: {}", std::strerror(errno))};
  }
  Result<void> rewind() override {
    return Error{
        ErrorCode::kInvalidArgument,
        "a stream cannot be read again from its start; write it to a file and load "
        "that, then an interrupted upload can go on"};
  }
  std::optional<double> fraction() const override { return std::nullopt; }

 private:
  int descriptor_;
};

}  // namespace

Result<std::uint64_t> BufferedSource::prepare(std::uint64_t offset,
                                              std::uint64_t length_max) {
  if (offset < start_) {
    TALLY_TRY(reader_->rewind());
    start_ = 0;
    part_.clear();
  }
  TALLY_TRY(skip_to(offset));
  if (part_.size() < length_max) TALLY_TRY(fill(length_max));
  return std::min<std::uint64_t>(part_.size(), length_max);
}

// Drops what lies before `offset`, reading on where it has not been read yet.
Result<void> BufferedSource::skip_to(std::uint64_t offset) {
  while (offset > start_ + part_.size()) {
    start_ += part_.size();
    part_.clear();
    TALLY_TRY(fill(std::min<std::uint64_t>(kReadBytes, offset - start_)));
    if (part_.empty()) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("the server already holds {} bytes of this upload, but there "
                      "are only {} here: it is another file; start a new job",
                      offset, start_)};
    }
  }
  part_.erase(0, offset - start_);
  start_ = offset;
  return {};
}

// Reads until the part has `length` bytes, or to the end.
Result<void> BufferedSource::fill(std::uint64_t length) {
  while (part_.size() < length) {
    const std::size_t before = part_.size();
    const std::size_t want = std::min<std::size_t>(kReadBytes, length - before);
    part_.resize(before + want);
    auto count = reader_->read(std::span(part_).subspan(before, want));
    part_.resize(before + (count.ok() ? count.value() : 0));
    if (!count.ok()) return std::move(count).error();
    if (count.value() == 0) return {};
  }
  return {};
}

Result<std::size_t> BufferedSource::read(std::uint64_t offset, std::span<char> into) {
  CHECK(offset >= start_ && offset - start_ < part_.size());
  return part_.copy(into.data(), into.size(), offset - start_);
}

std::unique_ptr<UploadSource> make_upload_stream(int descriptor) {
  return std::make_unique<BufferedSource>(std::make_unique<DescriptorReader>(descriptor));
}

}  // namespace tallyman::client
