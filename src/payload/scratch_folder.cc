#include "payload/scratch_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "base/check.h"

namespace tallyman {
namespace {

constexpr std::string_view kOwnPrefix = "tallyman-scratch-";

std::string lock_of(const std::string& folder) { return folder + "/lock"; }

// The names of what lies in `folder`; what cannot be read is not told of.
std::vector<std::filesystem::path> entries_of(const std::string& folder) {
  std::vector<std::filesystem::path> entries;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    entries.push_back(entry->path());
  }
  return entries;
}

// The parent may be a folder that everybody writes to.
bool is_own_folder(const std::filesystem::path& path) {
  struct stat about {};
  return ::lstat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode) &&
         about.st_uid == ::geteuid();
}

// What a process left whose lock nobody holds any more. A folder without a lock is one
// that is being made.
void remove_left_behind(const std::string& parent) {
  for (const std::filesystem::path& entry : entries_of(parent)) {
    if (!entry.filename().string().starts_with(kOwnPrefix)) continue;
    if (!is_own_folder(entry)) continue;
    auto opened = File::open(lock_of(entry), File::Mode::kReadWrite);
    if (!opened.ok()) continue;
    File lock = std::move(opened).value();
    const auto taken = lock.try_lock();
    if (!taken.ok() || !taken.value()) continue;
    std::error_code ignored;
    std::filesystem::remove_all(entry, ignored);
  }
}

}  // namespace

Result<ScratchFolder> ScratchFolder::open(const std::string& path) {
  TALLY_TRY(make_folder(path));
  return ScratchFolder(path, std::nullopt);
}

Result<ScratchFolder> ScratchFolder::make_own(const std::string& parent) {
  remove_left_behind(parent);
  std::string path = parent + "/" + std::string(kOwnPrefix) + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return file_error("make a scratch folder in", parent, errno);
  }
  // By its name only once it is held: else another process would take it for left behind.
  const std::string unnamed = lock_of(path) + "-new";
  TALLY_TRY_ASSIGN(File lock, File::open(unnamed, File::Mode::kCreate));
  TALLY_TRY_ASSIGN(const bool locked, lock.try_lock());
  CHECK(locked);
  TALLY_TRY(rename_file(unnamed, lock_of(path)));
  return ScratchFolder(std::move(path), std::move(lock));
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (lock_) std::filesystem::remove_all(path_, ignored);
}

std::string ScratchFolder::path(const JobId& job, std::string_view name) const {
  CHECK(!name.empty() && name.find('/') == std::string_view::npos);
  return path_ + "/" + job.to_string() + "." + std::string(name);
}

void ScratchFolder::remove(const JobId& job) const {
  const std::string prefix = job.to_string() + ".";
  for (const std::filesystem::path& entry : entries_of(path_)) {
    std::error_code ignored;
    if (entry.filename().string().starts_with(prefix)) {
      std::filesystem::remove(entry, ignored);
    }
  }
}

Result<void> ScratchFolder::list(std::set<JobId>& jobs) const {
  return list_jobs(path_, jobs);
}

Result<void> list_jobs(const std::string& folder, std::set<JobId>& jobs) {
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    const std::string file = entry->path().filename().string();
    const auto uuid = Uuid::parse(file.substr(0, file.find('.')));
    if (uuid) jobs.insert(JobId(*uuid));
  }
  if (error) return file_error("list", folder, error.value());
  return {};
}

}  // namespace tallyman
