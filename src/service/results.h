// Results: the outcome of every record of a job, with its original text.
//
//   TALLY_TRY_ASSIGN(auto results, open_results(service, caller, job, query));
//   TALLY_TRY(results.write(sink));
//
// Nothing of this is stored: it is the upload and the ledger read side by side, streamed
// in the order of the upload. Of a running job: what is committed.
//
// CSV: `_record,_outcome,_id,_error_code,_error_field,_error` (a retry: and
// `_parent_record`), then the uploaded columns. Of a CSV upload a record's own bytes
// follow unchanged; a record that is not a row of as many cells has its whole text in the
// first uploaded column, quoted, so that every line has the same number of cells. Of
// NDJSON and JSON uploads: the resource's fields in catalogue order, then `_original`.
// NDJSON and JSON: an object a record: the same names, and the record under "_original"
// ("_original_base64" where it is not UTF-8), fields of CSV uploads as JSON strings.
//
// Threads: one. Memory: a piece and a window's outcomes.
// Errors:  kGone      RESULTS_EXPIRED
//          kConflict  the upload was never completed
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string_view>

#include "base/result.h"
#include "model/outcome.h"
#include "service/job_service.h"

namespace tallyman {

enum class ResultFormat { kCsv, kNdjson, kJson };

struct ResultQuery {
  std::optional<std::set<Outcome>> outcomes;  // Nothing: all.
  ResultFormat format = ResultFormat::kCsv;
  // CSV cells that a spreadsheet would take for a formula get an apostrophe in front.
  bool spreadsheet_safe = false;
};

using TextSink = std::function<Result<void>(std::string_view)>;

// Checks everything that can be refused; the returned function then streams.
Result<std::function<Result<void>(const TextSink&)>> open_results(
    JobService& service, const Caller& caller, const JobReference& job,
    const ResultQuery& query);

// "succeeded" is created, updated, unchanged and deleted; else one outcome's name.
std::optional<std::set<Outcome>> outcomes_from_filter(std::string_view name);

}  // namespace tallyman
