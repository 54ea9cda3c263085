// File: an open file or folder of this machine; closed when it dies.
//
//   TALLY_TRY_ASSIGN(File file, File::open(path, File::Mode::kCreate));
//   TALLY_TRY(file.write(0, bytes));
//   TALLY_TRY(file.sync());
//
// Files are made readable by their owner only, and no child process inherits them.
//
// Threads: read() and size() from any; the rest from one at a time.
// Errors:  all of them name the file
//          kNotFound     it is not there
//          kOutOfSpace   the disk, the quota or the largest size of a file is reached
//          kUnavailable  the disk does not answer, or too many files are open
//          kInternal     it ends too early, or its owner or permissions keep us out
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tallyman {

class File {
 public:
  enum class Mode {
    kRead,
    kReadWrite,
    kReadWriteOrCreate,
    kCreate,  // Empty, whatever was there.
    kFolder,
  };

  static Result<File> open(std::string path, Mode mode);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  const std::string& path() const { return path_; }
  Result<std::uint64_t> size() const;

  // All of `bytes` at `offset`.
  Result<void> write(std::uint64_t offset, std::string_view bytes);
  // Fills `into`; kInternal where the file ends before.
  Result<void> read(std::uint64_t offset, std::span<char> into) const;
  Result<void> truncate(std::uint64_t size);

  // When this returns, what was written (of a folder: made, renamed, removed in it)
  // survives a loss of power.
  Result<void> sync();

  // False: another open file (of any process, and on a network folder of any machine)
  // holds the lock. It is let go with this file. REQUIRES: open for writing.
  Result<bool> try_lock();

  // Hints, which change no outcome: have the disk start on these bytes now, so that
  // sync() finds less to do; read ahead.
  void start_writeback(std::uint64_t offset, std::uint64_t length);
  void will_be_read_in_order();

 private:
  File(std::string path, int descriptor, bool is_folder);
  Error failure(std::string_view action) const;

  std::string path_;
  int descriptor_;  // -1: moved from.
  bool is_folder_;
};

// The error of a system call that failed with `error_number`: "cannot write FILE: why".
Error file_error(std::string_view action, std::string_view path, int error_number);

// Whether there was one.
Result<bool> remove_file(const std::string& path);
Result<void> rename_file(const std::string& from, const std::string& to);
// Makes the folder (0700) where it is not there; its parent must be.
Result<void> make_folder(const std::string& path);

}  // namespace tallyman
