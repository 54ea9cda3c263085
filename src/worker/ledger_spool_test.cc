#include "worker/ledger_spool.h"

#include <gmock/gmock.h>

#include "worker/test_engine.h"

namespace tallyman {
namespace {

using testing::ElementsAre;

UnitOutcomes unit(std::int64_t first, std::vector<std::int64_t> ids) {
  UnitOutcomes outcomes{.first_record = RecordNumber(first),
                        .places = {},
                        .outcomes = std::vector(ids.size(), Outcome::kCreated),
                        .ids = {.kind = RowIdKind::kInteger, .integers = std::move(ids)},
                        .errors = {}};
  outcomes.outcomes.push_back(Outcome::kFailed);
  outcomes.ids.push(std::int64_t{0});
  outcomes.errors.emplace_back(
      outcomes.size() - 1,
      RecordError{RecordErrorCode::kInvalidType, "age", "age: not an integer"});
  return outcomes;
}

class LedgerSpoolTest : public testing::Test {
 protected:
  std::vector<std::string> units(const LedgerSpool& spool) {
    std::vector<std::string> found;
    must(spool.for_each([&](WindowNumber window, UnitOutcomes outcomes) -> Result<void> {
      std::string line = std::to_string(window.value()) + ": from " +
                         std::to_string(outcomes.first_record.value());
      for (const auto id : outcomes.ids.integers) {
        line.append(" ").append(std::to_string(id));
      }
      for (const auto& [place, error] : outcomes.errors) {
        line.append(", ").append(std::to_string(place)).append(" ").append(error.message);
      }
      found.push_back(line);
      return {};
    }));
    return found;
  }

  db::TemporaryFolder folder_;
  std::string path_ = folder_.file("spool");
};

TEST_F(LedgerSpoolTest, GivesBackWhatWasAppendedInOrderAsOftenAsAsked) {
  LedgerSpool spool = must(LedgerSpool::create(path_));
  EXPECT_THAT(units(spool), ElementsAre());
  must(spool.append(WindowNumber(0), unit(1, {7, 8})));
  must(spool.append(WindowNumber(1), unit(4, {-3})));
  const auto both = ElementsAre("0: from 1 7 8 0, 2 age: not an integer",
                                "1: from 4 -3 0, 1 age: not an integer");
  EXPECT_THAT(units(spool), both);
  EXPECT_THAT(units(spool), both);
}

TEST_F(LedgerSpoolTest, GoesOnAfterItWasRead) {
  LedgerSpool spool = must(LedgerSpool::create(path_));
  must(spool.append(WindowNumber(0), unit(1, {7})));
  EXPECT_EQ(units(spool).size(), 1u);
  must(spool.append(WindowNumber(1), unit(3, {8})));
  EXPECT_THAT(units(spool), ElementsAre("0: from 1 7 0, 1 age: not an integer",
                                        "1: from 3 8 0, 1 age: not an integer"));
}

TEST_F(LedgerSpoolTest, TwoSourcesOfIdsReadWithoutDisturbingEachOther) {
  LedgerSpool spool = must(LedgerSpool::create(path_));
  must(spool.append(WindowNumber(0), unit(1, {7})));
  must(spool.append(WindowNumber(1), unit(3, {8})));
  const RowIdSourceMaker make = spool.ids();
  RowIdSource one = make();
  RowIdSource other = make();
  UnitOutcomes from_one;
  UnitOutcomes from_other;
  for (const std::int64_t id : {7, 8}) {
    ASSERT_TRUE(must(one(from_one)));
    ASSERT_TRUE(must(other(from_other)));
    EXPECT_EQ(from_one.ids.integers.front(), id);
    EXPECT_EQ(from_other.ids.integers.front(), id);
  }
  EXPECT_FALSE(must(one(from_one)));
  EXPECT_FALSE(must(other(from_other)));
}

TEST_F(LedgerSpoolTest, BeginsEmptyInPlaceOfAnEarlierOne) {
  {
    LedgerSpool spool = must(LedgerSpool::create(path_));
    must(spool.append(WindowNumber(0), unit(1, {7})));
  }
  EXPECT_THAT(units(must(LedgerSpool::create(path_))), ElementsAre());
}

TEST_F(LedgerSpoolTest, SaysWhereItCannotBeMade) {
  const auto spool = LedgerSpool::create(folder_.file("no/such/folder"));
  ASSERT_FALSE(spool.ok());
  EXPECT_EQ(spool.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace tallyman
