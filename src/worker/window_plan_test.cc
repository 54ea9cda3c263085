#include "worker/window_plan.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

const Slicing kByKey{.by = Slicing::By::kKey, .signature = "id int"};
const Slicing kByPlace{.by = Slicing::By::kPlace};

JobCut cut(const Slicing& slicing, const JobOptions& options = {},
           std::uint32_t lanes = 2, Operation operation = Operation::kUpsert) {
  WorkerSettings settings;
  settings.window_records = 7;
  settings.lanes = lanes;
  Job job{.id = JobId(Uuid{}), .operation = operation, .options = options};
  return cut_job(settings, job, slicing);
}

TEST(WindowPlan, ChangesOfRowsHaveManySlicesALane) {
  EXPECT_EQ(cut(kByKey).plan.slices, 16u);
  EXPECT_EQ(cut(kByKey, {}, 1).plan.slices, 8u);
  EXPECT_EQ(cut(kByKey).plan.window_records, 7u);
  EXPECT_EQ(cut(kByKey).lanes_reason, "");
  EXPECT_EQ(cut(kByKey).plan.sliced_by, "id int");
}

TEST(WindowPlan, OtherPartsAreAsManyAsTheLanes) {
  for (const Operation operation : {Operation::kInsert, Operation::kDelete}) {
    EXPECT_EQ(cut(kByKey, {}, 1, operation).plan.slices, 1u);
    EXPECT_EQ(cut(kByKey, {}, 2, operation).plan.slices, 2u);
  }
  EXPECT_EQ(cut(kByPlace).plan.slices, 2u);
  EXPECT_EQ(cut(kByPlace, {}, 1).plan.slices, 1u);
}

TEST(WindowPlan, WindowsOfAnUpdateInSeveralLanesGoInTurns) {
  const auto takes_another = [](Operation operation, std::uint32_t lanes,
                                std::size_t windows = 1, std::uint64_t bytes = 1) {
    Job job{.id = JobId(Uuid{}), .operation = operation};
    job.plan = cut(kByKey, {}, lanes, operation).plan;
    return takes_another_window(job, windows, bytes);
  };
  EXPECT_TRUE(takes_another(Operation::kUpdate, 2));
  EXPECT_FALSE(takes_another(Operation::kUpdate, 1));
  EXPECT_FALSE(takes_another(Operation::kUpsert, 2));
  EXPECT_FALSE(takes_another(Operation::kInsert, 2));

  constexpr std::size_t kMost = limits::kWindowsInTurnMax;
  EXPECT_TRUE(takes_another(Operation::kUpdate, 2, kMost - 1));
  EXPECT_FALSE(takes_another(Operation::kUpdate, 2, kMost));
  constexpr std::uint64_t kHalf = limits::kWindowsInTurnBytes / 2;
  EXPECT_TRUE(takes_another(Operation::kUpdate, 2, 1, kHalf));
  EXPECT_FALSE(takes_another(Operation::kUpdate, 2, 1, kHalf + 1));
  EXPECT_TRUE(takes_another(Operation::kUpdate, 2, 2, 2 * kHalf / 3 * 2));
  EXPECT_FALSE(takes_another(Operation::kUpdate, 2, 2, 2 * kHalf / 3 * 2 + 2));
}

// However small: units of jobs side by side take turns by eighths.
TEST(WindowPlan, ParallelJobsByKeyAreInEighths) {
  for (const Operation operation : {Operation::kUpdate, Operation::kInsert}) {
    for (const std::uint32_t lanes : {1u, 2u, 3u}) {
      const Job job{.id = JobId(Uuid{}),
                    .operation = operation,
                    .parallel = true,
                    .total_items = 10};
      const auto slices = cut_job({.lanes = lanes}, job, kByKey).plan.slices;
      EXPECT_TRUE(slices > 0 && slices % kSliceTurns == 0) << slices;
    }
  }
}

TEST(WindowPlan, SmallJobsAreOneSlice) {
  WorkerSettings settings;
  settings.window_records = 80;
  settings.lanes = 2;
  for (const std::uint64_t records : {10, 11}) {
    const Job job{
        .id = JobId(Uuid{}), .operation = Operation::kUpdate, .total_items = records};
    EXPECT_EQ(cut_job(settings, job, kByKey).plan.slices, records == 10 ? 1u : 16u);
  }
  settings.window_bytes = 80;
  for (const std::uint64_t bytes : {10, 11}) {
    const Job job{.id = JobId(Uuid{}),
                  .operation = Operation::kUpdate,
                  .upload_bytes = bytes,
                  .total_items = 1};
    EXPECT_EQ(cut_job(settings, job, kByKey).plan.slices, bytes == 10 ? 1u : 16u);
  }
}

TEST(WindowPlan, WhatTheTableForbidsIsSaid) {
  const JobCut one = cut({.by = Slicing::By::kNothing, .reason = "a trigger"});
  EXPECT_EQ(one.plan.slices, 1u);
  EXPECT_EQ(one.lanes_reason, "a trigger");
  EXPECT_EQ(cut({}, {.atomic = true}).lanes_reason, "");
}

TEST(WindowPlan, OptionsThatFollowFileOrderHaveOneLane) {
  for (const JobOptions& options :
       {JobOptions{.atomic = true}, JobOptions{.dry_run = true},
        JobOptions{.max_errors = 3}, JobOptions{.max_error_ratio = "0.5"},
        JobOptions{.on_duplicate = OnDuplicate::kLast}}) {
    EXPECT_EQ(cut(kByKey, options).plan.slices, 1u);
    EXPECT_NE(cut(kByKey, options).lanes_reason, "");
  }
}

}  // namespace
}  // namespace tallyman
