// Every limit of the program: its name, its unit, why it is what it is. Most can be set
// in the configuration: the name there is the name here without the k, as in
// upload_bytes_max. Each has a test that names it (tests/process/limits_test.py holds
// both headers to that).
//
// The limits of connections are in http/limits.h, because src/http/ knows no job, and
// are set under [http]: connections_max, connections_per_address_max, header_bytes_max,
// header_time, idle_time, body_idle_time, transfer_bytes_per_second_min,
// request_threads_max, requests_waiting_max, request_wait_time, thread_idle_time,
// stalled_time_under_pressure, drain_bytes_max.
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
// Cells of a header line, and so of every CSV record (one with more is MALFORMED_RECORD;
// its cells are counted, not held). As many as a table can have columns: a header of
// commas alone is refused before memory is spent on it. Of a JSON record only members
// that are fields of the resource are held: fields_max bounds those.
inline constexpr std::size_t kRecordCellsMax = 1'600;
// How deep brackets may stand in each other in a JSON record, the outermost counted. One
// bit each is held; a text from outside never decides how deep calls go.
inline constexpr std::size_t kRecordDepthMax = 1'024;
// Fields of a resource: PostgreSQL's limit for the columns of a table.
inline constexpr std::size_t kFieldsMax = 1'600;
// Keys (records) of a delete job. An upload of ids is the densest there is, two bytes a
// record, so its bytes do not bound its records, and a ledger keeps the id of every row
// that went. It also bounds what one mistaken request can take away.
inline constexpr std::uint64_t kDeleteKeysMax = 10'000'000;
// How far gzip may expand: text shrinks 3 to 20 times; a bomb 1,000.
inline constexpr std::uint64_t kExpansionRatioMax = 200;
// The members of a JSON envelope beside "data": field names. Held in memory.
inline constexpr std::uint64_t kEnvelopeBytesMax = 64 << 10;
// Records of an upload that open a quote and do not close it: each costs a second look at
// up to record_bytes_max, and so many mean that this is no CSV of that kind.
inline constexpr std::uint32_t kUnclosedQuotesMax = 10'000;

// One piece of the index, read and parsed at once: its text, its records (16 bytes each
// and more) and its cells (16 bytes each, whether the record has them or not). Whichever
// comes first, so that neither tiny records nor wide tables take more than 16 MiB.
inline constexpr std::uint64_t kPieceBytesMax = 1 << 20;
inline constexpr std::uint32_t kPieceRecordsMax = 16'384;
inline constexpr std::uint64_t kPieceCellsMax = 1 << 20;

// --- What one client may have ----------------------------------------------------------

// Jobs of one owner that have not ended: each has its place in a turn and its payload.
// Far more than anybody runs at once; a client that opens jobs and forgets them meets it.
// Above: 429 + Retry-After.
inline constexpr std::uint64_t kOpenJobsPerOwnerMax = 1'000;
// Uploads of one owner that are kept: those that arrive, and those of all jobs until
// results_retention takes them. Ten of the largest. Above: 413.
inline constexpr std::uint64_t kStoredBytesPerOwnerMax = 100ULL << 30;
// Requests of one token, to one node; as many may come at once. A client that starts
// small jobs one after the other over many connections makes a few thousand: it never
// meets this, one that asks in a loop without a pause does, and leaves room for the
// others. 0: no limit. Above: 429 + Retry-After.
inline constexpr std::uint64_t kRequestsPerSecondPerTokenMax = 10'000;
// The same for requests without a good token, by address: no guess at 256 random bits
// comes true, so this is about load alone, and all clients behind one proxy share it.
inline constexpr std::uint64_t kRefusalsPerSecondPerAddressMax = 1'000;
// Tokens and addresses whose rates are counted at once (about 100 bytes each, for two
// seconds after their last request). Those above share one count.
inline constexpr std::size_t kCountedClientsMax = 100'000;

// Settings that are made for each unit of a job that acts as somebody
// (model/acting_as.h): what policies read is one JSON text, or a few names. They are kept
// with every job.
inline constexpr std::size_t kClaimsMax = 32;
inline constexpr std::size_t kClaimBytesMax = 16 << 10;
// How many times the part of an owner of weight 1 another one may have.
inline constexpr std::uint32_t kOwnerWeightMax = 1'000;

// --- The unit of work -----------------------------------------------------------------

// Records and bytes (text and cells) of a window, whichever comes first. Two are in
// memory at once.
inline constexpr std::uint64_t kWindowRecords = 80'000;
inline constexpr std::uint64_t kWindowBytes = 24ULL << 20;
// Of an update in several lanes each lane has more, of these bytes together.
inline constexpr std::size_t kWindowsInTurnMax = 4;
inline constexpr std::uint64_t kWindowsInTurnBytes = 48ULL << 20;
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
