#include "worker/backoff.h"

#include <gtest/gtest.h>

#include "store/store_backend.h"

namespace tallyman {
namespace {

TEST(BackoffTest, DoublesFromTwentyMillisecondsToFiveSecondsAndNeverWaitsLessThanHalf) {
  SeededRandom random;
  Backoff backoff(random);
  std::int64_t whole = 20;
  for (int i = 0; i < 100; ++i) {
    const auto waited = backoff.next().count();
    EXPECT_GE(waited, whole / 2) << "after " << i << " tries";
    EXPECT_LE(waited, whole) << "after " << i << " tries";
    whole = std::min<std::int64_t>(whole * 2, 5000);
  }
}

TEST(BackoffTest, BeginsAnewAfterASuccess) {
  SeededRandom random;
  Backoff backoff(random);
  for (int i = 0; i < 20; ++i) backoff.next();
  backoff.reset();
  EXPECT_LE(backoff.next().count(), 20);
}

TEST(BackoffTest, WorkersThatFailedTogetherComeBackApart) {
  SeededRandom random;
  Backoff one(random);
  Backoff other(random);
  bool differ = false;
  for (int i = 0; i < 10; ++i) differ |= one.next() != other.next();
  EXPECT_TRUE(differ);
}

}  // namespace
}  // namespace tallyman
