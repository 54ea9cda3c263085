// The form in which the ledger keeps a unit: a few bytes for a long run of successes.
//
//   const std::vector<std::uint8_t> bytes = encode_outcomes(outcomes);
//   TALLY_TRY_ASSIGN(UnitOutcomes again, decode_outcomes(bytes));
//
// Everything is varints (store/varint.h), after a version byte:
//
//   first record, record count
//   outcomes    runs of (length << 3 | outcome) until the count is reached
//   places      0: contiguous; 1: as numbers below
//   ids         the RowIdKind; of successes only.
//               integers: as numbers below; texts: length and bytes, each
//   errors      distinct (code, field, message)s, then each error's place (distance from
//               the one before) and which of them it is
//   numbers     runs of (length, step): the step from one to the next, zig-zag; 1, 2, 3
//   ...
//               is one run
//
// Ids of records without a row are not kept: they come back as 0 or empty.
//
// Threads: pure functions.
// Errors:  kInternal  the bytes are none of ours; nothing is half-read
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "model/unit.h"
#include "store/ledger.h"

namespace tallyman {

// Records of one unit: what a decoder is ready to make room for. Far above any window.
inline constexpr std::uint64_t kUnitRecordsMax = 1 << 24;

std::vector<std::uint8_t> encode_outcomes(const UnitOutcomes& outcomes);
Result<UnitOutcomes> decode_outcomes(std::span<const std::uint8_t> bytes);

// Beside the outcomes, so that they can be summed without reading those.
ErrorCounts count_errors(const UnitOutcomes& outcomes);
std::vector<std::uint8_t> encode_error_counts(const ErrorCounts& counts);
Result<ErrorCounts> decode_error_counts(std::span<const std::uint8_t> bytes);

// Which record of the parent each record of a retry is.
std::vector<std::uint8_t> encode_records(std::span<const RecordNumber> records);
Result<std::vector<RecordNumber>> decode_records(std::span<const std::uint8_t> bytes);

// A list of texts: column names, scopes.
std::vector<std::uint8_t> encode_texts(const std::vector<std::string>& texts);
Result<std::vector<std::string>> decode_texts(std::span<const std::uint8_t> bytes);

}  // namespace tallyman
