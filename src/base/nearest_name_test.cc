#include "base/nearest_name.h"

#include <gtest/gtest.h>

#include <vector>

namespace tallyman {
namespace {

const std::vector<std::string> kFields = {"id", "amount", "category", "created_at"};

TEST(NearestName, FindsOneLetterAddedDroppedChangedOrSwapped) {
  EXPECT_EQ(nearest_name("amounts", kFields), "amount");
  EXPECT_EQ(nearest_name("amout", kFields), "amount");
  EXPECT_EQ(nearest_name("amaunt", kFields), "amount");
  EXPECT_EQ(nearest_name("amuont", kFields), "amount");
  EXPECT_EQ(nearest_name("di", kFields), "id");
}

TEST(NearestName, PassesOverAsciiCase) {
  EXPECT_EQ(nearest_name("CATEGORY", kFields), "category");
}

TEST(NearestName, HasNothingToSayWhereAThirdIsWrong) {
  EXPECT_EQ(nearest_name("cat", kFields), std::nullopt);
  EXPECT_EQ(nearest_name("xxount", kFields), "amount");
  EXPECT_EQ(nearest_name("xxxunt", kFields), std::nullopt);
  EXPECT_EQ(nearest_name("", kFields), std::nullopt);
  EXPECT_EQ(nearest_name("amount", {}), std::nullopt);
}

TEST(NearestName, TakesTheNearestAndThenTheFirst) {
  const std::vector<std::string> known = {"name_one", "name_two", "name_too"};
  EXPECT_EQ(nearest_name("name_to", known), "name_two");
  EXPECT_EQ(nearest_name("name_too", known), "name_too");
}

TEST(NearestName, BoundsItsWorkByLength) {
  const std::vector<std::string> known = {std::string(128, 'a'), std::string(129, 'b')};
  EXPECT_EQ(nearest_name(std::string(128, 'A'), known), known[0]);
  EXPECT_EQ(nearest_name(std::string(129, 'a'), known), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(128, 'b'), known), std::nullopt);
}

}  // namespace
}  // namespace tallyman
