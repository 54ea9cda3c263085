#include "payload/scratch_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "payload/test_folder.h"

namespace tallyman {
namespace {

const JobId kJob{Uuid({1, 2, 3})};

TEST(ScratchFolder, TwoProcessesHaveFoldersOfTheirOwnThatGoWithThem) {
  const TestFolder parent;
  {
    const auto one = ScratchFolder::make_own(parent.path()).value();
    const auto two = ScratchFolder::make_own(parent.path()).value();
    EXPECT_NE(one.path(kJob, "keys"), two.path(kJob, "keys"));
    write_file(one.path(kJob, "keys"), "mine");
    write_file(two.path(kJob, "keys"), "yours");
    one.remove(kJob);
    EXPECT_EQ(read_file(two.path(kJob, "keys")), "yours");
    std::set<JobId> jobs;
    ASSERT_TRUE(two.list(jobs).ok());
    EXPECT_THAT(jobs, testing::ElementsAre(kJob));
  }
  EXPECT_TRUE(std::filesystem::is_empty(parent.path()));
}

TEST(ScratchFolder, WhatADeadProcessLeftGoesAndNothingElse) {
  const TestFolder parent;
  const TestFolder elsewhere;
  const auto living = ScratchFolder::make_own(parent.path()).value();
  write_file(living.path(kJob, "keys"), "mine");
  const std::filesystem::path dead = parent.path() / "tallyman-scratch-dead";
  std::filesystem::create_directory(dead);
  write_file(dead / "lock", "");
  write_file(dead / (kJob.to_string() + ".keys"), "left");
  write_file(parent.path() / "other", "a stranger's");
  const std::filesystem::path link = parent.path() / "tallyman-scratch-link";
  std::filesystem::create_directory_symlink(elsewhere.path(), link);
  write_file(elsewhere.path() / "lock", "");

  const auto next = ScratchFolder::make_own(parent.path()).value();
  EXPECT_FALSE(std::filesystem::exists(dead));
  EXPECT_EQ(read_file(living.path(kJob, "keys")), "mine");
  EXPECT_EQ(read_file(parent.path() / "other"), "a stranger's");
  EXPECT_TRUE(std::filesystem::exists(link / "lock"));
}

TEST(ScratchFolder, NeedsItsParent) {
  const TestFolder parent;
  EXPECT_EQ(ScratchFolder::make_own(parent.path() / "none").error().code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tallyman
