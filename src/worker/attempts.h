// Attempts: calls something until it succeeds or fails for good.
//
//   TALLY_TRY_ASSIGN(auto outcomes, attempts.make([&] { return write_unit(...); }));
//   if (!outcomes) return {};   // paused: attempts.paused() says why
//
// Fails for a passing reason (base/error.h, or a full disk): waits, longer each time,
// counts it in the job's `retries` as soon as the database can be written (and so before
// the job has ended), and tries again. kLost: the slice is somebody else's, or the job
// was ended from outside.
//
// Threads: one.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "store/job_store.h"
#include "worker/backoff.h"
#include "worker/lease_keeper.h"
#include "worker/stop_flag.h"

namespace tallyman {

// Why work stops before the job has ended.
enum class Pause {
  kHandedOn,  // The process is to stop.
  kLost,      // Another worker has the slice, or the job was ended from outside.
};

class Attempts {
 public:
  Attempts(JobStore& jobs, JobNumber job, Random& random, const StopFlag& stop,
           const LeaseKeeper::Hold& hold)
      : jobs_(jobs), job_(job), backoff_(random), stop_(stop), hold_(hold) {}

  const std::optional<Pause>& paused() const { return paused_; }

  // True where work must stop now; to be asked between units.
  bool must_pause() {
    if (stop_.raised()) paused_ = Pause::kHandedOn;
    if (hold_.lost()) paused_ = Pause::kLost;
    return paused_.has_value();
  }

  // Nothing where work must pause; an error where it failed for good.
  template <class Attempt>
  auto make(Attempt attempt) -> Result<std::optional<
      std::remove_cvref_t<decltype(std::declval<decltype(attempt())>().value())>>> {
    using Done =
        std::remove_cvref_t<decltype(std::declval<decltype(attempt())>().value())>;
    while (!must_pause()) {
      count_retries();
      auto done = attempt();
      if (done.ok()) {
        backoff_.reset();
        return std::optional<Done>(std::move(done).value());
      }
      if (done.error().code == ErrorCode::kLost) {
        paused_ = Pause::kLost;
        break;
      }
      if (!worth_another(done.error())) return std::move(done).error();
      failed(done.error());
    }
    return std::optional<Done>();
  }

  static bool worth_another(const Error& error) {
    return is_transient(error.code) || error.code == ErrorCode::kOutOfSpace;
  }

  // Counts the error as survived, and waits, longer each time.
  void wait_after(const Error& error) { failed(error); }

 private:
  void count_retries() {
    for (; retries_ > 0; --retries_) {
      if (!jobs_.add_retry(job_, reason_).ok()) return;
    }
  }

  void failed(const Error& error) {
    ++retries_;
    reason_ = error.message;
    log_warning("attempt_failed",
                {{"job_number", std::to_string(job_.value())}, {"why", error.message}});
    stop_.wait_for(backoff_.next());
  }

  JobStore& jobs_;
  JobNumber job_;
  Backoff backoff_;
  const StopFlag& stop_;
  const LeaseKeeper::Hold& hold_;
  std::optional<Pause> paused_;
  int retries_ = 0;  // Not yet counted in the job.
  std::string reason_;
};

}  // namespace tallyman
