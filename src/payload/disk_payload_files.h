// The files of one payload, by their paths, and how its state is read and replaced.
//
// Threads: as File.
// Errors:  as File; a file that is missing while the state counts on it: kInternal.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "payload/file.h"
#include "payload/payload_state.h"

namespace tallyman {

// The jobs whose state was replaced while the folder could not be synced: what is seen
// may not survive a loss of power, and a second sync that succeeds would prove nothing.
// Whoever wrote such a state writes no other one; the next one who reads it writes it
// anew first.
//
// Threads: any.
class DoubtfulStates {
 public:
  void add(const JobId& job) {
    const std::lock_guard lock(mutex_);
    jobs_.insert(job);
  }
  void remove(const JobId& job) {
    const std::lock_guard lock(mutex_);
    jobs_.erase(job);
  }
  bool contains(const JobId& job) const {
    const std::lock_guard lock(mutex_);
    return jobs_.contains(job);
  }
  // Held by who writes one anew.
  std::mutex& settling() { return settling_; }

 private:
  std::mutex settling_;
  mutable std::mutex mutex_;
  std::set<JobId> jobs_;  // By mutex_.
};

class DiskPayloadFiles {
 public:
  // `folder` and `doubtful` outlive this.
  DiskPayloadFiles(File& folder, DoubtfulStates& doubtful, const JobId& job);

  const std::string& data() const { return data_; }
  const std::string& index() const { return index_; }

  // Nothing where there is no state. kInternal where it is damaged. What it says survives
  // a loss of power.
  Result<std::optional<PayloadState>> load_state();

  // The data, which holds at least what the state counts.
  Result<File> open_data(const PayloadState& state, File::Mode mode) const;

  // The pieces that the state counts. kInternal where the index is damaged.
  Result<std::vector<Piece>> load_pieces(const PayloadState& state) const;

  // Replaces the state in two steps: after an error in the first the old one still holds;
  // after an error in the second it may be either.
  Result<void> write_new_state(const PayloadState& state);
  Result<void> put_new_state_in_place();
  // The folder could not be synced: only load_state() and remove() may follow.
  bool is_doubtful() const { return doubtful_.contains(job_); }

  // The state first, so that what is left of a payload is never taken for one.
  Result<void> remove();
  Result<void> remove_state_and_index();

 private:
  Result<std::optional<PayloadState>> read_state() const;
  Result<void> settle();
  Error missing(Error error) const;

  File& folder_;
  DoubtfulStates& doubtful_;
  JobId job_;
  std::string data_;
  std::string index_;
  std::string state_;
  std::string new_state_;
};

}  // namespace tallyman
