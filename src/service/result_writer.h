// ResultWriter: rows of a result as CSV, NDJSON or JSON (service/results.h says how).
//
// Threads: one. Memory: one row; of a record above record_bytes_max a chunk at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/job.h"
#include "payload/outcome_stream.h"
#include "service/results.h"

namespace tallyman {

struct ResultRow {
  RecordWithOutcome record;
  std::optional<RecordNumber> parent_record;  // Of a retry.
};

class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  virtual void begin(std::string& out) = 0;
  // Appends the row to `out`; may hand `out` to `sink` and clear it in between.
  virtual Result<void> row(const ResultRow& row, PayloadReader& payload, std::string& out,
                           const TextSink& sink) = 0;
  virtual void end(std::string& out) = 0;
};

// `columns`: of the batches that the rows come from.
std::unique_ptr<ResultWriter> make_result_writer(const Job& job,
                                                 std::vector<std::string> columns,
                                                 const ResultQuery& query);

// The id of the row that the record names: digits, text, or a JSON array; empty for none.
std::string result_id(const RecordWithOutcome& record);

}  // namespace tallyman
