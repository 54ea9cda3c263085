// DiskPlace: a folder for the payloads of a test.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "payload/disk_payload.h"
#include "payload/test_folder.h"
#include "payload/test_place.h"

namespace tallyman {

class DiskPlace final : public PayloadPlace {
 public:
  std::unique_ptr<PayloadStore> open() override {
    return DiskPayloadStore::open(folder()).value();
  }

  std::string folder() const { return folder_.path() / "payloads"; }
  std::filesystem::path file(const JobId& job, const std::string& ending) const {
    return folder_.path() / "payloads" / (job.to_string() + "." + ending);
  }

  // What a crash at this moment would leave.
  std::unique_ptr<DiskPlace> copy() const {
    auto other = std::make_unique<DiskPlace>();
    std::filesystem::copy(folder_.path(), other->folder_.path(),
                          std::filesystem::copy_options::recursive);
    return other;
  }

 private:
  TestFolder folder_;
};

}  // namespace tallyman
