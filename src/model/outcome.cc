#include "model/outcome.h"

#include "base/check.h"

namespace tallyman {

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCreated: return "created";
    case Outcome::kUpdated: return "updated";
    case Outcome::kUnchanged: return "unchanged";
    case Outcome::kDeleted: return "deleted";
    case Outcome::kFailed: return "failed";
    case Outcome::kUnprocessed: return "unprocessed";
  }
  CHECK(false);
}

std::optional<Outcome> outcome_from_name(std::string_view text) {
  for (const Outcome outcome : kAllOutcomes) {
    if (name(outcome) == text) return outcome;
  }
  return std::nullopt;
}

std::string_view name(RecordErrorCode code) {
  switch (code) {
    case RecordErrorCode::kMalformedRecord: return "MALFORMED_RECORD";
    case RecordErrorCode::kUnknownField: return "UNKNOWN_FIELD";
    case RecordErrorCode::kRequiredFieldMissing: return "REQUIRED_FIELD_MISSING";
    case RecordErrorCode::kInvalidType: return "INVALID_TYPE";
    case RecordErrorCode::kValueOutOfRange: return "VALUE_OUT_OF_RANGE";
    case RecordErrorCode::kValueTooLong: return "VALUE_TOO_LONG";
    case RecordErrorCode::kInvalidChoice: return "INVALID_CHOICE";
    case RecordErrorCode::kValidationFailed: return "VALIDATION_FAILED";
    case RecordErrorCode::kDuplicateValue: return "DUPLICATE_VALUE";
    case RecordErrorCode::kDuplicateInUpload: return "DUPLICATE_IN_UPLOAD";
    case RecordErrorCode::kAmbiguousKey: return "AMBIGUOUS_KEY";
    case RecordErrorCode::kNotFound: return "NOT_FOUND";
    case RecordErrorCode::kForeignKeyViolation: return "FOREIGN_KEY_VIOLATION";
    case RecordErrorCode::kCheckViolation: return "CHECK_VIOLATION";
    case RecordErrorCode::kNotNullViolation: return "NOT_NULL_VIOLATION";
    case RecordErrorCode::kPermissionDenied: return "PERMISSION_DENIED";
    case RecordErrorCode::kNotApplied: return "NOT_APPLIED";
    case RecordErrorCode::kRecordTooLarge: return "RECORD_TOO_LARGE";
    case RecordErrorCode::kDatabaseError: return "DATABASE_ERROR";
  }
  CHECK(false);
}

std::optional<RecordErrorCode> record_error_code_from_name(std::string_view text) {
  for (std::size_t i = 0; i < kRecordErrorCodeCount; ++i) {
    const auto code = static_cast<RecordErrorCode>(i);
    if (name(code) == text) return code;
  }
  return std::nullopt;
}

}  // namespace tallyman
