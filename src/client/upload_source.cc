#include "client/upload_source.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace tallyman::client {
namespace {

Error behind_the_end(std::uint64_t offset, std::uint64_t size) {
  return {
      ErrorCode::kInvalidArgument,
      fmt::format("the server already holds {} bytes of this upload, but there are only "
                  "{} here: it is another file; start a new job",
                  offset, size)};
}

class FileSource final : public UploadSource {
 public:
  FileSource(std::string path, int descriptor, std::uint64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}
  ~FileSource() override { ::close(descriptor_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  Result<std::uint64_t> prepare(std::uint64_t offset, std::uint64_t length_max) override {
    if (offset > size_) return behind_the_end(offset, size_);
    return std::min(length_max, size_ - offset);
  }

  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    ssize_t count = 0;
    do {
      count = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
    } while (count < 0 && errno == EINTR);
    if (count > 0) return static_cast<std::size_t>(count);
    return Error{ErrorCode::kUnreadable,
                 count == 0
                     ? path_ + " became shorter while it was read; nothing was completed"
                     : fmt::format("cannot read {}: {}", path_, std::strerror(errno))};
  }

  std::optional<std::uint64_t> size() const override { return size_; }
  std::optional<double> fraction(std::uint64_t offset) const override {
    return size_ == 0 ? 1.0 : static_cast<double>(offset) / static_cast<double>(size_);
  }

 private:
  std::string path_;
  int descriptor_;
  std::uint64_t size_;
};

class BytesSource final : public UploadSource {
 public:
  explicit BytesSource(std::string bytes) : bytes_(std::move(bytes)) {}

  Result<std::uint64_t> prepare(std::uint64_t offset, std::uint64_t length_max) override {
    if (offset > bytes_.size()) return behind_the_end(offset, bytes_.size());
    return std::min<std::uint64_t>(length_max, bytes_.size() - offset);
  }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    return bytes_.copy(into.data(), into.size(), offset);
  }
  std::optional<std::uint64_t> size() const override { return bytes_.size(); }
  std::optional<double> fraction(std::uint64_t offset) const override {
    return bytes_.empty()
               ? 1.0
               : static_cast<double>(offset) / static_cast<double>(bytes_.size());
  }

 private:
  std::string bytes_;
};

}  // namespace

Result<std::unique_ptr<UploadSource>> open_upload_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return Error{errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnreadable,
                 fmt::format("cannot open {}: {}", path, std::strerror(errno))};
  }
  struct stat about = {};
  if (::fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
    ::close(descriptor);
    return Error{ErrorCode::kInvalidArgument,
                 path + " is not a regular file; pipe it in and name it `-`"};
  }
  return std::unique_ptr<UploadSource>(std::make_unique<FileSource>(
      path, descriptor, static_cast<std::uint64_t>(about.st_size)));
}

std::unique_ptr<UploadSource> make_upload_bytes(std::string bytes) {
  return std::make_unique<BytesSource>(std::move(bytes));
}

}  // namespace tallyman::client
