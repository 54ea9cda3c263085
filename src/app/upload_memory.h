// UploadMemory: remembers which job an upload belongs to, so that the same command, given
// again after it was interrupted, goes on where it stopped.
//
//   UploadMemory memory(UploadMemory::default_folder());
//   if (const auto job = memory.find(key)) ...
//   memory.remember(key, job);    // right after the job was created
//   memory.forget(key);           // when its upload is complete
//
// The key holds all that makes an upload what it is: server, resource, file, its size and
// time of change, and the options. One small file a key.
//
// Threads: one. Errors: a folder that cannot be written only means that nothing is
// remembered.
#pragma once

#include <optional>
#include <string>

#include "client/answers.h"

namespace tallyman {

class UploadMemory {
 public:
  // $XDG_STATE_HOME/tallyman, else ~/.local/state/tallyman; empty where there is no home.
  static std::string default_folder();

  // An empty folder: remembers nothing.
  explicit UploadMemory(std::string folder) : folder_(std::move(folder)) {}

  std::optional<client::JobReference> find(const std::string& key) const;
  // False where it could not be written.
  bool remember(const std::string& key, const client::JobReference& job);
  void forget(const std::string& key);

 private:
  std::string path_of(const std::string& key) const;

  std::string folder_;
};

}  // namespace tallyman
