#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "db/sqlite_database.h"

namespace tallyman::db {
namespace {

std::string read_pid(int file) {
  char digits[32];
  const ssize_t length = pread(file, digits, sizeof digits, 0);
  std::string pid(digits, length > 0 ? static_cast<std::size_t>(length) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

Error lock_file_error(const std::string& path, int number) {
  return {number == ENOSPC ? ErrorCode::kOutOfSpace : ErrorCode::kInvalidArgument,
          "lock file " + path + ": " + std::strerror(number) +
              "; the server must be able to write beside its database"};
}

}  // namespace

Result<std::unique_ptr<SqliteProcessLock>> SqliteProcessLock::take(
    const std::string& path) {
  // The same file by another name (a link, ../) must have the same lock.
  std::error_code ignored;
  const auto real_path = std::filesystem::weakly_canonical(path, ignored);
  const std::string lock_path = (ignored ? path : real_path.string()) + "-tallyman.lock";

  const int file = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return lock_file_error(lock_path, errno);
  std::unique_ptr<SqliteProcessLock> lock(new SqliteProcessLock(file));

  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return lock_file_error(lock_path, errno);
    return Error{ErrorCode::kConflict,
                 "database " + path + " is already served by process " + read_pid(file) +
                     "; stop it first (SQLite is for one server at a time)"};
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(file, 0) != 0 ||
      pwrite(file, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return lock_file_error(lock_path, errno);
  }
  return lock;
}

SqliteProcessLock::~SqliteProcessLock() { close(file_); }

}  // namespace tallyman::db
