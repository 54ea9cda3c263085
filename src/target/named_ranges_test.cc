#include "target/named_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr OutcomeMask kCreated = mask_of(Outcome::kCreated);
constexpr OutcomeMask kUpdated = mask_of(Outcome::kUpdated);

TEST(NamedRanges, MakeOneOfIdsThatFollowEachOther) {
  NamedRanges ranges;
  for (int id = 10; id < 20; ++id) ranges.add(id, kCreated);
  EXPECT_EQ(ranges.size(), 1u);
  ranges.add(20, kUpdated);
  EXPECT_THAT(ranges.take(),
              ElementsAre(NamedRange{10, 19, kCreated}, NamedRange{20, 20, kUpdated}));
  EXPECT_THAT(ranges.take(), IsEmpty());
}

TEST(NamedRanges, PutTogetherWhatNamesAnIdTwice) {
  NamedRanges ranges;
  for (int id = 1; id <= 9; ++id) ranges.add(id, kCreated);
  for (int id = 4; id <= 12; ++id) ranges.add(id, kUpdated);
  EXPECT_THAT(ranges.take(), ElementsAre(NamedRange{1, 3, kCreated},
                                         NamedRange{4, 9, kCreated | kUpdated},
                                         NamedRange{10, 12, kUpdated}));
}

TEST(NamedRanges, ReachTheEndsOfWhatAnIdCanBe) {
  NamedRanges ranges;
  ranges.add(INT64_MAX, kCreated);
  ranges.add(INT64_MIN, kCreated);
  ranges.add(INT64_MAX, kUpdated);
  const auto taken = ranges.take();
  EXPECT_THAT(taken, ElementsAre(NamedRange{INT64_MIN, INT64_MIN, kCreated},
                                 NamedRange{INT64_MAX, INT64_MAX, kCreated | kUpdated}));
  EXPECT_EQ(taken[0].size(), 1u);
}

TEST(NamedRanges, AreTheIdsThatWereAddedWhateverTheirOrder) {
  std::mt19937_64 random(20240131);
  for (int round = 0; round < 500; ++round) {
    NamedRanges ranges;
    std::map<std::int64_t, OutcomeMask> wanted;
    for (std::uint64_t run = random() % 20; run > 0; --run) {
      const auto first = static_cast<std::int64_t>(random() % 60);
      const auto mask = static_cast<OutcomeMask>(1U << random() % 3);
      for (std::int64_t id = first;
           id <= first + static_cast<std::int64_t>(random() % 20); ++id) {
        ranges.add(id, mask);
        wanted[id] |= mask;
      }
    }
    std::map<std::int64_t, OutcomeMask> found;
    for (const NamedRange& range : ranges.take()) {
      for (std::int64_t id = range.first; id <= range.last; ++id) {
        EXPECT_TRUE(found.emplace(id, range.outcomes).second);
      }
    }
    ASSERT_EQ(found, wanted) << "round " << round;
  }
}

}  // namespace
}  // namespace tallyman
