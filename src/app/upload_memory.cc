#include "app/upload_memory.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/content_hash.h"

namespace tallyman {
namespace {

namespace fs = std::filesystem;

std::string text_of_variable(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? std::string() : std::string(text);
}

}  // namespace

std::string UploadMemory::default_folder() {
  if (const std::string state = text_of_variable("XDG_STATE_HOME"); !state.empty()) {
    return state + "/tallyman";
  }
  const std::string home = text_of_variable("HOME");
  return home.empty() ? home : home + "/.local/state/tallyman";
}

std::string UploadMemory::path_of(const std::string& key) const {
  ContentHash hash;
  hash.update(key);
  return folder_ + "/upload-" + hash.finish().substr(0, 32);
}

std::optional<client::JobReference> UploadMemory::find(const std::string& key) const {
  if (folder_.empty()) return std::nullopt;
  std::ifstream file(path_of(key));
  std::string resource;
  std::string id;
  if (!std::getline(file, resource) || !std::getline(file, id)) return std::nullopt;
  const auto uuid = Uuid::parse(id);
  if (!uuid || resource.empty()) return std::nullopt;
  return client::JobReference{resource, JobId(*uuid)};
}

bool UploadMemory::remember(const std::string& key, const client::JobReference& job) {
  if (folder_.empty()) return false;
  std::error_code failure;
  fs::create_directories(folder_, failure);
  if (failure) return false;
  // Written beside and renamed: a reader sees a whole file or none.
  const std::string path = path_of(key);
  const std::string part = path + ".part";
  {
    std::ofstream file(part, std::ios::trunc);
    file << job.resource << '\n' << job.id.to_string() << '\n';
    if (!file.flush()) return false;
  }
  fs::rename(part, path, failure);
  return !failure;
}

void UploadMemory::forget(const std::string& key) {
  if (folder_.empty()) return;
  std::error_code ignored;
  fs::remove(path_of(key), ignored);
}

}  // namespace tallyman
