#include "service/stored_bytes.h"

#include <set>
#include <vector>

namespace tallyman {

std::shared_ptr<StoredBytes::Account> StoredBytes::account_of(const std::string& owner) {
  const std::lock_guard lock(mutex_);
  auto& account = accounts_[owner];
  if (!account) account = std::make_shared<Account>();
  return account;
}

Result<void> StoredBytes::hold(const std::string& owner, const JobId& job,
                               std::uint64_t bytes) {
  const auto account = account_of(owner);
  const std::lock_guard lock(account->mutex);
  TALLY_TRY(know(*account, owner));
  const auto held = account->arriving.find(job);
  const std::uint64_t before = held == account->arriving.end() ? 0 : held->second;
  if (bytes <= before) return {};
  TALLY_TRY(judge(*account, owner, bytes - before));
  set(*account, job, bytes);
  return {};
}

Result<void> StoredBytes::require_room(const std::string& owner, std::uint64_t bytes) {
  const auto account = account_of(owner);
  const std::lock_guard lock(account->mutex);
  TALLY_TRY(know(*account, owner));
  TALLY_TRY_ASSIGN(account->completed_bytes, jobs_.stored_bytes(owner));
  return judge(*account, owner, bytes);
}

void StoredBytes::settle(const std::string& owner, const JobId& job,
                         std::uint64_t bytes) {
  const auto account = account_of(owner);
  const std::lock_guard lock(account->mutex);
  set(*account, job, bytes);
}

void StoredBytes::complete(const std::string& owner, const JobId& job,
                           std::uint64_t bytes) {
  const auto account = account_of(owner);
  const std::lock_guard lock(account->mutex);
  set(*account, job, 0);
  account->completed_bytes += bytes;
}

void StoredBytes::set(Account& account, const JobId& job, std::uint64_t bytes) {
  std::uint64_t& held = account.arriving[job];
  account.arriving_bytes += bytes - held;
  held = bytes;
  if (bytes == 0) account.arriving.erase(job);
}

// What an earlier process left behind of uploads that are not complete.
Result<void> StoredBytes::know(Account& account, const std::string& owner) {
  if (account.is_known) return {};
  TALLY_TRY_ASSIGN(const auto open, jobs_.open_jobs(owner));
  for (const JobId& job : open) {
    if (account.arriving.contains(job)) continue;
    const auto offset = payloads_.checkpointed_offset(job);
    if (offset.ok()) set(account, job, offset.value());
    if (!offset.ok() && offset.error().code != ErrorCode::kNotFound) {
      return offset.error();
    }
  }
  TALLY_TRY_ASSIGN(account.completed_bytes, jobs_.stored_bytes(owner));
  account.is_known = true;
  return {};
}

// Others change what the store counts, and end jobs: a sweeper, a worker that copies a
// retry.
Result<void> StoredBytes::refresh(Account& account, const std::string& owner) {
  TALLY_TRY_ASSIGN(const auto open, jobs_.open_jobs(owner));
  const std::set<JobId> still_open(open.begin(), open.end());
  std::vector<JobId> ended;
  for (const auto& [job, bytes] : account.arriving) {
    if (!still_open.contains(job)) ended.push_back(job);
  }
  for (const JobId& job : ended) set(account, job, 0);
  TALLY_TRY_ASSIGN(account.completed_bytes, jobs_.stored_bytes(owner));
  return {};
}

Result<void> StoredBytes::judge(Account& account, const std::string& owner,
                                std::uint64_t more) {
  const auto taken = [&] { return account.completed_bytes + account.arriving_bytes; };
  if (taken() + more <= bytes_max_) return {};
  TALLY_TRY(refresh(account, owner));
  if (taken() + more <= bytes_max_) return {};
  return stored_bytes_exceeded(owner, taken(), bytes_max_);
}

}  // namespace tallyman
