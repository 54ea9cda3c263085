// What every JobStore must do with what an owner has: jobs that have not ended, and what
// their uploads take. Limits: limits::kOpenJobsPerOwnerMax, kStoredBytesPerOwnerMax.
#pragma once

#include <atomic>
#include <thread>

#include "store/store_backend.h"

namespace tallyman {

class OwnerConformance : public StoreConformance {
 protected:
  NewJob limited(std::uint64_t open_jobs_max, std::string owner = "ann") {
    NewJob made = new_job();
    made.owner = std::move(owner);
    made.open_jobs_max = open_jobs_max;
    return made;
  }
  Result<Job> complete(const Job& job, std::uint64_t bytes,
                       std::optional<std::uint64_t> stored_bytes_max = std::nullopt) {
    JobChange change = upload_completed(job);
    change.upload->upload_bytes = bytes;
    change.upload->stored_bytes_max = stored_bytes_max;
    return jobs().apply(change);
  }
  std::uint64_t stored(std::string_view owner = "ann") {
    return must(jobs().stored_bytes(owner));
  }
};

TEST_P(OwnerConformance, TakesJobsUpToTheLimitAndNoMore) {
  const Job first = must(jobs().create(limited(3)));
  const Job second =
      must(jobs().apply(upload_completed(must(jobs().create(limited(3))))));
  must(jobs().create(limited(3)));
  EXPECT_EQ(claim().job, second.number);  // In Progress counts too.

  const auto above = jobs().create(limited(3));
  EXPECT_EQ(code(above), ErrorCode::kTooMany);
  EXPECT_EQ(above.error().detail_code, "TOO_MANY_OPEN_JOBS");
  EXPECT_NE(above.error().message.find("3"), std::string::npos);
  EXPECT_TRUE(jobs().create(limited(3, "bob")).ok()) << "another owner has room";

  abort(first);
  EXPECT_TRUE(jobs().create(limited(3)).ok()) << "one has ended";
  EXPECT_FALSE(jobs().create(limited(3)).ok());
  EXPECT_TRUE(jobs().create(limited(4)).ok());
  EXPECT_TRUE(jobs().create(new_job()).ok()) << "without a limit";
}

TEST_P(OwnerConformance, OfManyThatRaceForTheLastPlaceOneGetsIt) {
  for (int round = 0; round < 20; ++round) {
    const std::string owner = "owner-" + std::to_string(round);
    must(jobs().create(limited(2, owner)));
    std::vector<NewJob> made;
    for (int i = 0; i < 4; ++i) made.push_back(limited(2, owner));
    std::atomic<int> taken = 0;
    std::vector<std::thread> threads;
    for (const NewJob& job : made) {
      threads.emplace_back([&] { taken += jobs().create(job).ok() ? 1 : 0; });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(taken, 1);
  }
}

TEST_P(OwnerConformance, ListsTheJobsThatStillTakeData) {
  const Job first = open();
  submit();
  const Job third = open();
  abort(open());
  NewJob other = new_job();
  other.owner = "bob";
  must(jobs().create(other));
  EXPECT_EQ(must(jobs().open_jobs("ann")), (std::vector<JobId>{first.id, third.id}));
  EXPECT_TRUE(must(jobs().open_jobs("cem")).empty());
}

TEST_P(OwnerConformance, KeepsWhatUploadsTakeUntilTheyExpireOrGo) {
  EXPECT_EQ(stored(), 0u);
  const Job first = must(complete(open(), 1'000));
  const Job second = must(complete(open(), 20));
  open();
  abort(open());
  EXPECT_EQ(stored(), 1'020u);
  EXPECT_EQ(stored("bob"), 0u);

  finish(claim());
  abort(second);
  EXPECT_EQ(stored(), 1'020u) << "results can be read of jobs that have ended";
  must(jobs().expire_results(first.number));
  EXPECT_EQ(stored(), 20u);
  must(jobs().expire_results(first.number));
  must(jobs().remove(first.id));
  EXPECT_EQ(stored(), 20u) << "once only";
  must(jobs().remove(second.id));
  EXPECT_EQ(stored(), 0u);
  backend_->restart();
  must(complete(open(), 7));
  EXPECT_EQ(stored(), 7u);
}

TEST_P(OwnerConformance, TakesUploadsUpToTheLimitAndNotAByteMore) {
  must(complete(open(), 60, 100));
  const Job job = open();
  const auto above = complete(job, 41, 100);
  EXPECT_EQ(code(above), ErrorCode::kTooLarge);
  EXPECT_EQ(above.error().detail_code, "STORED_BYTES_EXCEEDED");
  EXPECT_NE(above.error().message.find("60"), std::string::npos);
  EXPECT_NE(above.error().message.find("100"), std::string::npos);
  EXPECT_EQ(must(jobs().find(job.id)).state, JobState::kOpen) << "nothing has changed";
  EXPECT_EQ(stored(), 60u);
  EXPECT_TRUE(complete(job, 40, 100).ok());
  EXPECT_EQ(stored(), 100u);
  EXPECT_TRUE(complete(open(), 0, 100).ok());
}

}  // namespace tallyman
