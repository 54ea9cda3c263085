// Names and numbers that stand in databases, uploads and the API.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "model/content.h"
#include "model/operation.h"
#include "model/outcome.h"
#include "model/piece.h"

namespace tallyman {
namespace {

TEST(Outcome, NamesRoundTripAndNumbersNeverChange) {
  const std::string_view kNames[] = {"created", "updated", "unchanged",
                                     "deleted", "failed",  "unprocessed"};
  ASSERT_EQ(kAllOutcomes.size(), std::size(kNames));
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kAllOutcomes[i]), i);
    EXPECT_EQ(name(kAllOutcomes[i]), kNames[i]);
    EXPECT_EQ(outcome_from_name(kNames[i]), kAllOutcomes[i]);
    EXPECT_EQ(is_success(kAllOutcomes[i]), i < 4);
  }
  EXPECT_EQ(outcome_from_name("Created"), std::nullopt);
}

TEST(RecordErrorCode, NamesRoundTripAndNumbersNeverChange) {
  const std::string_view kNames[] = {
      "MALFORMED_RECORD",      "UNKNOWN_FIELD",      "REQUIRED_FIELD_MISSING",
      "INVALID_TYPE",          "VALUE_OUT_OF_RANGE", "VALUE_TOO_LONG",
      "INVALID_CHOICE",        "VALIDATION_FAILED",  "DUPLICATE_VALUE",
      "DUPLICATE_IN_UPLOAD",   "AMBIGUOUS_KEY",      "NOT_FOUND",
      "FOREIGN_KEY_VIOLATION", "CHECK_VIOLATION",    "NOT_NULL_VIOLATION",
      "PERMISSION_DENIED",     "NOT_APPLIED",        "RECORD_TOO_LARGE",
      "DATABASE_ERROR"};
  ASSERT_EQ(std::size(kNames), kRecordErrorCodeCount);
  for (std::size_t i = 0; i < kRecordErrorCodeCount; ++i) {
    EXPECT_EQ(name(static_cast<RecordErrorCode>(i)), kNames[i]);
    EXPECT_EQ(record_error_code_from_name(kNames[i]), static_cast<RecordErrorCode>(i));
  }
  EXPECT_EQ(record_error_code_from_name("OTHER"), std::nullopt);
}

TEST(Operation, NamesRoundTripAndNumbersNeverChange) {
  const std::string_view kNames[] = {"insert", "upsert", "update", "replace", "delete"};
  ASSERT_EQ(kAllOperations.size(), std::size(kNames));
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kAllOperations[i]), i);
    EXPECT_EQ(name(kAllOperations[i]), kNames[i]);
    EXPECT_EQ(operation_from_name(kNames[i]), kAllOperations[i]);
    EXPECT_EQ(is_keyed(kAllOperations[i]), i > 0);
  }
  EXPECT_EQ(operation_from_name("INSERT"), std::nullopt);
}

TEST(ContentType, NamesRoundTripAndNumbersNeverChange) {
  const std::string_view kNames[] = {"text/csv", "application/x-ndjson",
                                     "application/json"};
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    EXPECT_EQ(name(static_cast<ContentType>(i)), kNames[i]);
    EXPECT_EQ(content_type_from_name(kNames[i]), static_cast<ContentType>(i));
  }
}

TEST(ContentType, PassesOverParametersAndCase) {
  EXPECT_EQ(content_type_from_name("Text/CSV; charset=utf-8"), ContentType::kCsv);
  EXPECT_EQ(content_type_from_name("application/json ;x=y"), ContentType::kJson);
  EXPECT_EQ(content_type_from_name("application/jsonl"), ContentType::kNdjson);
  EXPECT_EQ(content_type_from_name("text/plain"), std::nullopt);
  EXPECT_EQ(content_type_from_name(""), std::nullopt);
}

TEST(PieceKind, NumbersNeverChange) {
  EXPECT_EQ(static_cast<int>(PieceKind::kRecords), 0);
  EXPECT_EQ(static_cast<int>(PieceKind::kTooLarge), 1);
  EXPECT_EQ(static_cast<int>(PieceKind::kUnclosedQuote), 2);
}

}  // namespace
}  // namespace tallyman
