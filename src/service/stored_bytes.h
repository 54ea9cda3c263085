// StoredBytes: holds the uploads of each owner below stored_bytes_per_owner_max while
// they come in.
//
//   StoredBytes stored(jobs, payloads, settings.stored_bytes_per_owner_max);
//   TALLY_TRY(stored.require_room("ann", 0));      // before anything is done
//   TALLY_TRY(stored.hold("ann", job, offset));   // before the bytes are written
//   stored.settle("ann", job, offset);            // the part has ended, so far it came
//   stored.complete("ann", job, bytes);           // from now on the store counts it
//
// What counts is what completed uploads take, which the store keeps, and what lies here
// of those that are not complete. That is known here alone: a database that had to be
// told of every part would make uploads wait for its writer. So what is complete is held
// to the limit exactly, by the transaction that completes it, and what is on its way by
// each node.
//
// Threads: any; owners do not wait for each other. Memory: an entry for each upload that
//          is not complete. Its files are read once, when its owner first sends anything.
// Errors:  kTooLarge with STORED_BYTES_EXCEEDED; nothing is held then that was not.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "payload/payload.h"
#include "store/job_store.h"

namespace tallyman {

class StoredBytes {
 public:
  StoredBytes(JobStore& jobs, PayloadStore& payloads, std::uint64_t bytes_max)
      : jobs_(jobs), payloads_(payloads), bytes_max_(bytes_max) {}

  // Room for `bytes` of the upload in all; less than it holds already is fine.
  Result<void> hold(const std::string& owner, const JobId& job, std::uint64_t bytes);
  // Room for `bytes` more. Holds nothing.
  Result<void> require_room(const std::string& owner, std::uint64_t bytes);
  // The upload has `bytes` now: 0 where it is gone.
  void settle(const std::string& owner, const JobId& job, std::uint64_t bytes);
  void complete(const std::string& owner, const JobId& job, std::uint64_t bytes);

 private:
  struct Account {
    std::mutex mutex;
    bool is_known = false;  // All below is filled.
    // As the store last said, and what was completed here since. Too much at times, never
    // for a refusal; too little only by what others completed since the part began.
    std::uint64_t completed_bytes = 0;
    std::uint64_t arriving_bytes = 0;  // Sum of `arriving`.
    std::map<JobId, std::uint64_t> arriving;
  };

  std::shared_ptr<Account> account_of(const std::string& owner);
  Result<void> know(Account& account, const std::string& owner);
  Result<void> refresh(Account& account, const std::string& owner);
  Result<void> judge(Account& account, const std::string& owner, std::uint64_t more);
  static void set(Account& account, const JobId& job, std::uint64_t bytes);

  JobStore& jobs_;
  PayloadStore& payloads_;
  const std::uint64_t bytes_max_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Account>> accounts_;  // By owner. mutex_.
};

}  // namespace tallyman
