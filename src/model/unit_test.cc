#include "model/unit.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

TEST(OutcomeCounts, CountEachOutcomeInItsPlace) {
  const OutcomeCounts counts = count_outcomes(
      {Outcome::kCreated, Outcome::kUpdated, Outcome::kUpdated, Outcome::kUnchanged,
       Outcome::kUnchanged, Outcome::kUnchanged, Outcome::kDeleted, Outcome::kFailed,
       Outcome::kFailed, Outcome::kUnprocessed});
  EXPECT_EQ(counts, (OutcomeCounts{1, 2, 3, 1, 2}));
  EXPECT_EQ(counts.succeeded(), 7u);
  EXPECT_EQ(counts.processed(), 9u);
  EXPECT_EQ(count_outcomes({}), OutcomeCounts{});
}

TEST(OutcomeCounts, AddUp) {
  OutcomeCounts counts{1, 2, 3, 4, 5};
  counts += OutcomeCounts{10, 20, 30, 40, 50};
  EXPECT_EQ(counts, (OutcomeCounts{11, 22, 33, 44, 55}));
}

TEST(UnitOutcomes, KnowTheirRecordNumbers) {
  UnitOutcomes unit;
  unit.first_record = RecordNumber(101);
  unit.outcomes.assign(3, Outcome::kCreated);
  EXPECT_EQ(unit.size(), 3u);
  EXPECT_EQ(unit.record(2), RecordNumber(103));
  unit.places = {0, 7, 15};
  EXPECT_EQ(unit.record(0), RecordNumber(101));
  EXPECT_EQ(unit.record(2), RecordNumber(116));
}

TEST(RowIds, KeepTextsApart) {
  RowIds ids;
  ids.kind = RowIdKind::kText;
  for (const std::string_view id : {"a", "", "bcd"}) ids.push(id);
  EXPECT_EQ(ids.text(0), "a");
  EXPECT_EQ(ids.text(1), "");
  EXPECT_EQ(ids.text(2), "bcd");
}

}  // namespace
}  // namespace tallyman
