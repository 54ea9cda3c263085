// Every limit, said once more: a change of one is a change of a promise. Those that the
// model enforces are tried at the limit and one above.
#include "model/limits.h"

#include <gtest/gtest.h>

#include <string>

#include "model/aggregate.h"
#include "model/test_resource.h"

namespace tallyman {
namespace {

using namespace std::chrono_literals;

TEST(Limits, AreWhatIsPromised) {
  EXPECT_EQ(limits::kUploadBytesMax, 10'737'418'240u);
  EXPECT_EQ(limits::kRecordBytesMax, 1'048'576u);
  EXPECT_EQ(limits::kPieceBytesMax, 1'048'576u);
  EXPECT_EQ(limits::kFieldsMax, 1'600u);
  EXPECT_EQ(limits::kRecordCellsMax, 1'600u);
  EXPECT_EQ(limits::kRecordDepthMax, 1'024u);
  EXPECT_EQ(limits::kDeleteKeysMax, 10'000'000u);
  EXPECT_EQ(limits::kExpansionRatioMax, 200u);
  EXPECT_EQ(limits::kEnvelopeBytesMax, 65'536u);
  EXPECT_EQ(limits::kUnclosedQuotesMax, 10'000u);
  EXPECT_EQ(limits::kPieceRecordsMax, 16'384u);
  EXPECT_EQ(limits::kPieceCellsMax, 1'048'576u);
  EXPECT_EQ(limits::kOpenJobsPerOwnerMax, 1'000u);
  EXPECT_EQ(limits::kStoredBytesPerOwnerMax, 107'374'182'400u);
  EXPECT_EQ(limits::kRequestsPerSecondPerTokenMax, 10'000u);
  EXPECT_EQ(limits::kRefusalsPerSecondPerAddressMax, 1'000u);
  EXPECT_EQ(limits::kCountedClientsMax, 100'000u);
  EXPECT_EQ(limits::kWindowRecords, 80'000u);
  EXPECT_EQ(limits::kWindowBytes, 25'165'824u);
  EXPECT_EQ(limits::kAtomicRecordsMax, 1'000'000u);
  EXPECT_EQ(limits::kAggregatesMax, 100u);
  EXPECT_EQ(limits::kAggregateGroupsMax, 100'000u);
  EXPECT_EQ(limits::kRequestJsonBytesMax, 1'048'576u);
  EXPECT_EQ(limits::kStatusErrorsMax, 100u);
  EXPECT_EQ(limits::kListPageMax, 1'000u);
  EXPECT_EQ(limits::kListPage, 100u);
  EXPECT_EQ(limits::kOpenTimeMax, 24h);
  EXPECT_EQ(limits::kResultsRetention, 7 * 24h);
  EXPECT_EQ(limits::kJobRetention, 90 * 24h);
  EXPECT_EQ(limits::kWriterWait, 5s);
  EXPECT_EQ(limits::kLeaseTime, 10s);
  EXPECT_EQ(limits::kPreferWaitMax, 60s);
  EXPECT_EQ(limits::kAggregatesWait, 2s);
  EXPECT_EQ(limits::kDrainTime, 10s);
}

TEST(Limits, FitIntoEachOther) {
  EXPECT_GE(limits::kPieceBytesMax, limits::kRecordBytesMax);
  EXPECT_GE(limits::kWindowBytes, limits::kPieceBytesMax);
  EXPECT_GE(limits::kUploadBytesMax, limits::kWindowBytes);
  EXPECT_GE(limits::kStoredBytesPerOwnerMax, limits::kUploadBytesMax);
  EXPECT_GE(limits::kPieceCellsMax, limits::kRecordCellsMax);
  EXPECT_GE(limits::kListPageMax, limits::kListPage);
  EXPECT_GE(limits::kJobRetention, limits::kResultsRetention);
  // A dead worker's slice is taken over within 15 s.
  EXPECT_LT(limits::kLeaseTime, 15s);
}

std::string counts(std::size_t how_many) {
  std::string json = "{";
  for (std::size_t i = 0; i < how_many; ++i) {
    json += (i == 0 ? "\"n" : ",\"n") + std::to_string(i) + "\":{\"type\":\"count\"}";
  }
  return json + "}";
}

TEST(Limits, AggregatesOfOneRequest) {
  const Resource resource = make_test_resource();
  EXPECT_TRUE(parse_aggregates(counts(limits::kAggregatesMax), resource, false).ok());

  const auto above =
      parse_aggregates(counts(limits::kAggregatesMax + 1), resource, false);
  ASSERT_FALSE(above.ok());
  EXPECT_EQ(above.error().code, ErrorCode::kTooLarge);
  EXPECT_NE(above.error().message.find("100"), std::string::npos);
}

TEST(Limits, ControlTotalsOfOneRequest) {
  Resource resource = make_test_resource();
  const auto totals = [&](std::size_t how_many) {
    std::string json = "{";
    for (std::size_t i = 0; i < how_many; ++i) {
      resource.fields.push_back(make_field("f" + std::to_string(i), FieldType::kInteger));
      json += (i == 0 ? "\"sum.f" : ",\"sum.f") + std::to_string(i) + "\":1";
    }
    return json + "}";
  };
  const std::string at = totals(limits::kAggregatesMax);
  EXPECT_TRUE(parse_control_totals(at, resource, false).ok());

  const std::string above = totals(limits::kAggregatesMax + 1);
  const auto refused = parse_control_totals(above, resource, false);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
}

TEST(Limits, BytesOfASmallJsonBody) {
  const Resource resource = make_test_resource();
  std::string aggregates = R"({"n": {"type": "count"}})";
  std::string totals = R"({"count": 2})";
  aggregates.resize(limits::kRequestJsonBytesMax, ' ');
  totals.resize(limits::kRequestJsonBytesMax, ' ');
  EXPECT_TRUE(parse_aggregates(aggregates, resource, false).ok());
  EXPECT_TRUE(parse_control_totals(totals, resource, false).ok());

  const auto no_aggregates = parse_aggregates(aggregates + ' ', resource, false);
  const auto no_totals = parse_control_totals(totals + ' ', resource, false);
  ASSERT_FALSE(no_aggregates.ok());
  ASSERT_FALSE(no_totals.ok());
  EXPECT_EQ(no_aggregates.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(no_totals.error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace tallyman
