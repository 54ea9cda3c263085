// ScratchFolder: the files that workers of this process need while they run jobs (key
// tables, spools), each named after its job.
//
//   TALLY_TRY_ASSIGN(auto scratch, ScratchFolder::open(folder + "/scratch"));
//   TALLY_TRY_ASSIGN(auto scratch, ScratchFolder::make_own("/var/tmp"));
//   std::string path = scratch.path(job, "keys");
//
// A folder that was opened is for one process at a time, and stays. One of its own goes
// with the process; what processes that died have left beside it goes when the next one
// is made.
//
// Threads: any.
// Errors:  as File.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "model/ids.h"
#include "payload/file.h"

namespace tallyman {

class ScratchFolder {
 public:
  static Result<ScratchFolder> open(const std::string& path);
  static Result<ScratchFolder> make_own(const std::string& parent);
  ScratchFolder(ScratchFolder&& other) noexcept
      : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, std::nullopt)) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();

  const std::string& folder() const { return path_; }
  std::string path(const JobId& job, std::string_view name) const;
  void remove(const JobId& job) const;
  // Adds every job that something lies here for.
  Result<void> list(std::set<JobId>& jobs) const;

 private:
  ScratchFolder(std::string path, std::optional<File> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  std::optional<File> lock_;  // Of a folder of its own, held while it is in use.
};

// Adds the job of each file of the folder that is named after one.
Result<void> list_jobs(const std::string& folder, std::set<JobId>& jobs);

}  // namespace tallyman
