#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace tallyman {
namespace {

const Error kError{ErrorCode::kConflict, "job 17: no", "INVALID_STATE"};

Result<std::unique_ptr<int>> make(bool works) {
  if (!works) return kError;
  return std::make_unique<int>(42);
}

Result<void> check(bool works) {
  if (!works) return kError;
  return {};
}

Result<int> both(bool first, bool second, int& reached) {
  TALLY_TRY(check(first));
  reached = 1;
  TALLY_TRY_ASSIGN(const std::unique_ptr<int> made, make(second));
  reached = 2;
  return *made;
}

TEST(Result, HoldsAValueOrAnError) {
  const auto good = make(true);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good.value(), 42);
  const auto bad = make(false);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kConflict);
  EXPECT_EQ(bad.error().message, "job 17: no");
  EXPECT_EQ(bad.error().detail_code, "INVALID_STATE");
}

TEST(Result, GivesAwayWhatCannotBeCopied) {
  const std::unique_ptr<int> taken = make(true).value();
  EXPECT_EQ(*taken, 42);
}

TEST(Result, OfNothingIsSuccessOrAnError) {
  EXPECT_TRUE(check(true).ok());
  EXPECT_EQ(check(false).error().message, "job 17: no");
}

TEST(Result, TryLeavesWithTheFirstError) {
  int reached = 0;
  EXPECT_EQ(both(true, true, reached).value(), 42);
  EXPECT_EQ(reached, 2);
  reached = 0;
  EXPECT_EQ(both(false, true, reached).error().code, ErrorCode::kConflict);
  EXPECT_EQ(reached, 0);
  EXPECT_EQ(both(true, false, reached).error().detail_code, "INVALID_STATE");
  EXPECT_EQ(reached, 1);
}

TEST(ResultDeathTest, StopsAProgramThatDoesNotLook) {
  EXPECT_DEATH((void)make(false).value(), "CHECK");
  EXPECT_DEATH((void)make(true).error(), "CHECK");
  EXPECT_DEATH((void)check(true).error(), "CHECK");
}

TEST(Error, ContextComesBeforeTheMessage) {
  const Error error = Error(kError).with_context("window 3");
  EXPECT_EQ(error.message, "window 3: job 17: no");
  EXPECT_EQ(error.code, ErrorCode::kConflict);
  EXPECT_EQ(error.detail_code, "INVALID_STATE");
}

TEST(Error, OnlyWhatMayPassByItselfIsTransient) {
  EXPECT_TRUE(is_transient(ErrorCode::kUnavailable));
  EXPECT_TRUE(is_transient(ErrorCode::kTooMany));
  EXPECT_FALSE(is_transient(ErrorCode::kOutOfSpace));
  EXPECT_FALSE(is_transient(ErrorCode::kLost));
  EXPECT_FALSE(is_transient(ErrorCode::kInternal));
  EXPECT_FALSE(is_transient(ErrorCode::kConflict));
}

}  // namespace
}  // namespace tallyman
