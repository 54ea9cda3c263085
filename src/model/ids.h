// Every id of the domain, in one place.
#pragma once

#include <cstdint>

#include "base/strong_id.h"
#include "base/uuid.h"

namespace tallyman {

// What a client knows a job by: a UUIDv7.
class JobId {
 public:
  explicit constexpr JobId(Uuid uuid) : uuid_(uuid) {}
  const Uuid& uuid() const { return uuid_; }
  std::string to_string() const { return uuid_.to_string(); }
  friend constexpr auto operator<=>(const JobId&, const JobId&) = default;

 private:
  Uuid uuid_;
};

// What our own tables know a job by: 1, 2, 3 ... in order of creation.
using JobNumber = StrongId<struct JobNumberTag>;

// 1-based, in the order of the upload, as users count. The CSV header is not a record.
using RecordNumber = StrongId<struct RecordNumberTag>;

// 0-based, in the order of the upload.
using WindowNumber = StrongId<struct WindowNumberTag>;
using SliceNumber = StrongId<struct SliceNumberTag>;

// Raised by everything that ends a job from outside (abort, giving up), so that whoever
// still writes for it is refused.
using Epoch = StrongId<struct EpochTag>;

// Drawn anew for each claim of a slice. A worker that lost its lease still holds the old
// token, so whatever it tries to write is refused (kLost).
using LeaseToken = StrongId<struct LeaseTokenTag>;

}  // namespace tallyman
