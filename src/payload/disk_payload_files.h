// The files of one payload, by their paths, and how its state is read and replaced.
//
// Threads: as File.
// Errors:  as File; a file that is missing while the state counts on it: kInternal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "payload/file.h"
#include "payload/payload_state.h"

namespace tallyman {

class DiskPayloadFiles {
 public:
  // `folder` outlives this.
  DiskPayloadFiles(File& folder, const JobId& job);

  const std::string& data() const { return data_; }
  const std::string& index() const { return index_; }

  // Nothing where there is no state. kInternal where it is damaged.
  Result<std::optional<PayloadState>> load_state() const;

  // The data, which holds at least what the state counts.
  Result<File> open_data(const PayloadState& state, File::Mode mode) const;

  // The pieces that the state counts. kInternal where the index is damaged.
  Result<std::vector<Piece>> load_pieces(const PayloadState& state) const;

  // Replaces the state in two steps: after an error in the first the old one still holds;
  // after an error in the second it may be either.
  Result<void> write_new_state(const PayloadState& state);
  Result<void> put_new_state_in_place();

  // The state first, so that what is left of a payload is never taken for one.
  Result<void> remove();

 private:
  Error missing(Error error) const;

  File& folder_;
  std::string data_;
  std::string index_;
  std::string state_;
  std::string new_state_;
};

}  // namespace tallyman
