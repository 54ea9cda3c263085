// What a JobStore must do whose database belongs to one process, with one writer: end the
// leases of an earlier process, and tell who holds the writer that an abort waits for it.
#pragma once

#include <algorithm>
#include <thread>

#include "store/store_backend.h"

namespace tallyman {

class OneProcessConformance : public StoreConformance {};

TEST_P(OneProcessConformance, ANewProcessTakesOverAtOnce) {
  const Job job = submit();
  const Claim dead = claim();
  must(jobs().renew(dead, kLease));
  backend_->restart();
  must(jobs().release_all());
  EXPECT_EQ(events_of(job).back(), "slice_reclaimed");
  EXPECT_EQ(code(jobs().renew(dead, kLease)), ErrorCode::kLost);
  const Claim held = claim();
  EXPECT_TRUE(held.reclaimed);
  EXPECT_EQ(std::ranges::count(events_of(job), "slice_reclaimed"), 1);
  must(jobs().release(held));
  must(jobs().release_all());
  EXPECT_EQ(std::ranges::count(events_of(job), "slice_reclaimed"), 1);
}

TEST_P(OneProcessConformance, AnAbortThatWaitsIsToldToWhoHoldsTheWriter) {
  const Job job = submit();
  const Job other = submit("pets");
  EXPECT_FALSE(jobs().end_is_requested(job.number));
  auto writer = must(backend_->database().begin_write(kWait));
  std::thread user([&] { abort(job); });
  while (!jobs().end_is_requested(job.number)) std::this_thread::yield();
  EXPECT_FALSE(jobs().end_is_requested(other.number));
  writer->rollback();
  user.join();
  EXPECT_FALSE(jobs().end_is_requested(job.number));
  EXPECT_EQ(must(jobs().find(job.id)).state, JobState::kAborted);
}

}  // namespace tallyman
