#include "payload/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace tallyman {
namespace {

int flags_of(File::Mode mode) {
  switch (mode) {
    case File::Mode::kRead: return O_RDONLY;
    case File::Mode::kReadWrite: return O_RDWR;
    case File::Mode::kReadWriteOrCreate: return O_RDWR | O_CREAT;
    case File::Mode::kCreate: return O_RDWR | O_CREAT | O_TRUNC;
    case File::Mode::kFolder: return O_RDONLY | O_DIRECTORY;
  }
  CHECK(false);
}

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case ENOENT: return ErrorCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return ErrorCode::kOutOfSpace;
    case EIO:
    case EAGAIN:
    case ETIMEDOUT:
    case ESTALE:  // A network folder that went away.
    case EMFILE:
    case ENFILE:
    case ENOMEM: return ErrorCode::kUnavailable;
    default: return ErrorCode::kInternal;
  }
}

// Calls until it is not interrupted by a signal.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

Error file_error(std::string_view action, std::string_view path, int error_number) {
  const ErrorCode code = code_of(error_number);
  return {code, fmt::format("cannot {} {}: {}{}", action, path,
                            std::generic_category().message(error_number),
                            code == ErrorCode::kOutOfSpace
                                ? "; nothing was stored: free space there and try again"
                                : "")};
}

Error File::failure(std::string_view action) const {
  return file_error(action, path_, errno);
}

File::File(std::string path, int descriptor, bool is_folder)
    : path_(std::move(path)), descriptor_(descriptor), is_folder_(is_folder) {}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      is_folder_(other.is_folder_) {}

File& File::operator=(File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(is_folder_, other.is_folder_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<File> File::open(std::string path, Mode mode) {
  const int descriptor = uninterrupted(
      [&] { return ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, 0600); });
  if (descriptor < 0) return file_error("open", path, errno);
  return File(std::move(path), descriptor, mode == Mode::kFolder);
}

Result<std::uint64_t> File::size() const {
  struct stat about {};
  if (::fstat(descriptor_, &about) != 0) return failure("look at");
  return static_cast<std::uint64_t>(about.st_size);
}

Result<void> File::write(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = uninterrupted([&] {
      return ::pwrite(descriptor_, bytes.data(), bytes.size(),
                      static_cast<off_t>(offset));
    });
    if (written < 0) return failure("write");
    if (written == 0) return file_error("write", path_, EIO);
    // Less than all of it: the next turn goes on, or learns why.
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<void> File::read(std::uint64_t offset, std::span<char> into) const {
  while (!into.empty()) {
    const ssize_t got = uninterrupted([&] {
      return ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
    });
    if (got < 0) return failure("read");
    if (got == 0) {
      return Error{ErrorCode::kInternal,
                   fmt::format("{} ends at byte {}, where {} more should be", path_,
                               offset, into.size())};
    }
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<void> File::truncate(std::uint64_t size) {
  const int done =
      uninterrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); });
  if (done != 0) return failure("cut");
  return {};
}

Result<void> File::sync() {
  const int done = uninterrupted(
      [&] { return is_folder_ ? ::fsync(descriptor_) : ::fdatasync(descriptor_); });
  if (done != 0) return failure("sync");
  return {};
}

Result<bool> File::try_lock() {
  const int done = uninterrupted([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); });
  if (done == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return failure("lock");
}

void File::start_writeback(std::uint64_t offset, std::uint64_t length) {
  ::sync_file_range(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(length),
                    SYNC_FILE_RANGE_WRITE);
}

void File::will_be_read_in_order() {
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
}

Result<bool> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  return file_error("remove", path, errno);
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return file_error("rename", from, errno);
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return file_error("make the folder", path, errno);
}

}  // namespace tallyman
