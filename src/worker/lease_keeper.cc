#include "worker/lease_keeper.h"

namespace tallyman {

LeaseKeeper::LeaseKeeper(JobStore& jobs, std::chrono::milliseconds lease_time)
    : jobs_(jobs), lease_time_(lease_time), thread_([this] { run(); }) {}

LeaseKeeper::~LeaseKeeper() {
  stop_.raise();
  thread_.join();
}

LeaseKeeper::Hold::Hold(LeaseKeeper& keeper, const Claim& claim)
    : keeper_(keeper), claim_(claim) {
  const std::lock_guard lock(keeper_.mutex_);
  keeper_.holds_.push_back(this);
}

LeaseKeeper::Hold::~Hold() {
  const std::lock_guard lock(keeper_.mutex_);
  keeper_.holds_.remove(this);
}

Result<Claim> LeaseKeeper::Hold::share() {
  // All the while: a renewal of what the claim was is judged by what it is then.
  const std::lock_guard lock(keeper_.mutex_);
  TALLY_TRY_ASSIGN(claim_, keeper_.jobs_.share(claim_));
  return claim_;
}

void LeaseKeeper::run() {
  while (!stop_.wait_for(lease_time_ / 3)) {
    std::list<Claim> claims;
    {
      const std::lock_guard lock(mutex_);
      for (const Hold* hold : holds_) claims.push_back(hold->claim_);
    }
    for (const Claim& claim : claims) {
      const auto renewed = jobs_.renew(claim, lease_time_);
      if (renewed.ok() || renewed.error().code != ErrorCode::kLost) continue;
      const std::lock_guard lock(mutex_);
      for (Hold* hold : holds_) {
        // Of a claim that was shared meanwhile, only what is left must be there.
        const bool is_same =
            hold->claim_.token == claim.token && hold->claim_.slices == claim.slices;
        if (is_same) hold->lost_ = true;
      }
    }
  }
}

}  // namespace tallyman
