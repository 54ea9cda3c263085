// What became of a record: exactly one outcome each.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

// The numbers are stored in the ledger: append, never renumber.
enum class Outcome : std::uint8_t {
  kCreated = 0,
  kUpdated = 1,
  kUnchanged = 2,  // Every sent field already had the sent value.
  kDeleted = 3,
  kFailed = 4,       // With a RecordError.
  kUnprocessed = 5,  // The job ended before its turn, or was rolled back.
};

inline constexpr auto kAllOutcomes =
    std::to_array<Outcome>({Outcome::kCreated, Outcome::kUpdated, Outcome::kUnchanged,
                            Outcome::kDeleted, Outcome::kFailed, Outcome::kUnprocessed});

constexpr bool is_success(Outcome outcome) { return outcome <= Outcome::kDeleted; }

std::string_view name(Outcome outcome);  // "created"
std::optional<Outcome> outcome_from_name(std::string_view text);

// Why a record failed. Stable codes of the API; the numbers are stored in the ledger:
// append, never renumber.
enum class RecordErrorCode : std::uint8_t {
  kMalformedRecord = 0,
  kUnknownField = 1,
  kRequiredFieldMissing = 2,
  kInvalidType = 3,
  kValueOutOfRange = 4,
  kValueTooLong = 5,
  kInvalidChoice = 6,
  kValidationFailed = 7,
  kDuplicateValue = 8,
  kDuplicateInUpload = 9,
  kAmbiguousKey = 10,
  kNotFound = 11,
  kForeignKeyViolation = 12,
  kCheckViolation = 13,
  kNotNullViolation = 14,
  kPermissionDenied = 15,
  kNotApplied = 16,  // A trigger swallowed it.
  kRecordTooLarge = 17,
  kDatabaseError = 18,
};

inline constexpr std::size_t kRecordErrorCodeCount = 19;

std::string_view name(RecordErrorCode code);  // "MALFORMED_RECORD"
std::optional<RecordErrorCode> record_error_code_from_name(std::string_view text);

// Names field, rule and limit; never the value.
struct RecordError {
  RecordErrorCode code;
  std::string field;  // Empty where no one field is to blame; "a, b" for a composite key.
  std::string message;

  friend bool operator==(const RecordError&, const RecordError&) = default;
};

}  // namespace tallyman
