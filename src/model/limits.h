// Every limit of the program: its name, its unit, why it is what it is. Most can be set
// in the configuration (the name there is the name here without the k).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tallyman::limits {

// --- What is read ---------------------------------------------------------------------

// One upload, decoded. Larger ones are cut by their sender into several jobs.
inline constexpr std::uint64_t kUploadBytesMax = 10ULL << 30;
// One record. A record is held in memory whole; an index piece holds at least one.
inline constexpr std::uint64_t kRecordBytesMax = 1 << 20;
// One piece of the index: what is read and parsed at once.
inline constexpr std::uint64_t kPieceBytesMax = 1 << 20;
// Columns of a header line, fields of a resource: PostgreSQL's limit for a table.
inline constexpr std::size_t kFieldsMax = 1'600;
// How far gzip may expand: text shrinks 3 to 20 times; a bomb 1,000.
inline constexpr std::uint64_t kExpansionRatioMax = 200;

// --- The unit of work -----------------------------------------------------------------

// Records and bytes (text and cells) of a window, whichever comes first. Two are in
// memory at once.
inline constexpr std::uint64_t kWindowRecords = 80'000;
inline constexpr std::uint64_t kWindowBytes = 24ULL << 20;
// Records of an atomic or dry-run job on SQLite: it holds the one writer to its end.
inline constexpr std::uint64_t kAtomicRecordsMax = 1'000'000;

// --- Asking for aggregates -------------------------------------------------------------

// In one request.
inline constexpr std::size_t kAggregatesMax = 100;
// Groups of one aggregate. They are in memory at once.
inline constexpr std::size_t kAggregateGroupsMax = 100'000;
// A small JSON body, not an upload.
inline constexpr std::size_t kRequestJsonBytesMax = 1 << 20;

// --- Answers --------------------------------------------------------------------------

inline constexpr std::size_t kStatusErrorsMax = 100;  // Errors shown in a status.
inline constexpr std::size_t kListPageMax = 1'000;    // Jobs in one page of a list.
inline constexpr std::size_t kListPage = 100;

// --- Times ----------------------------------------------------------------------------

inline constexpr std::chrono::hours kOpenTimeMax{24};           // Then upload_expired.
inline constexpr std::chrono::hours kResultsRetention{7 * 24};  // Payload and ledger.
inline constexpr std::chrono::hours kJobRetention{90 * 24};     // Job, counts, history.
inline constexpr std::chrono::seconds kWriterWait{5};           // Then 503 + Retry-After.
inline constexpr std::chrono::seconds kLeaseTime{10};
inline constexpr std::chrono::seconds kPreferWaitMax{60};
inline constexpr std::chrono::seconds kAggregatesWait{2};  // Then 202.
inline constexpr std::chrono::seconds kDrainTime{10};      // From SIGTERM to the end.

}  // namespace tallyman::limits
