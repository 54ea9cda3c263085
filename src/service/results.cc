#include "service/results.h"

#include "format/reader_options.h"
#include "service/errors.h"
#include "service/job_rules.h"
#include "service/result_writer.h"
#include "store/ledger_units.h"

namespace tallyman {
namespace {

// Rows are gathered to about this many bytes before they are sent.
constexpr std::size_t kSendBytes = 64 << 10;

// Which record of its parent each record of a retry is.
class ParentRecords {
 public:
  ParentRecords(Ledger& ledger, JobNumber child) : ledger_(ledger), child_(child) {}

  Result<std::optional<RecordNumber>> find(RecordNumber record) {
    if (record < first_ || record.value() >= first_.value() + size()) {
      first_ = record;
      TALLY_TRY_ASSIGN(parents_, ledger_.parent_records(child_, record));
      if (parents_.empty()) return std::optional<RecordNumber>();
    }
    return std::optional(
        parents_[static_cast<std::size_t>(record.value() - first_.value())]);
  }

 private:
  std::int64_t size() const { return static_cast<std::int64_t>(parents_.size()); }

  Ledger& ledger_;
  JobNumber child_;
  std::vector<RecordNumber> parents_;  // Of the records from first_ on.
  RecordNumber first_{1};
};

// All that a result needs while it is streamed.
struct ResultStream {
  OutcomeStream records;
  std::unique_ptr<ResultWriter> writer;
  std::optional<ParentRecords> parents;

  Result<void> run(const TextSink& sink) {
    std::string out;
    writer->begin(out);
    while (true) {
      TALLY_TRY_ASSIGN(const auto record, records.next());
      if (!record) break;
      ResultRow row{.record = *record, .parent_record = std::nullopt};
      if (parents) {
        TALLY_TRY_ASSIGN(row.parent_record, parents->find(record->record));
      }
      TALLY_TRY(writer->row(row, records.payload(), out, sink));
      if (out.size() < kSendBytes) continue;
      TALLY_TRY(sink(out));
      out.clear();
    }
    writer->end(out);
    return sink(out);
  }
};

// The fields of a JSON upload's records; none where the table is gone: their text
// remains.
Result<Resource> fields_of(ResourceCatalog& catalog, const Job& job) {
  const auto found = catalog.find(job.resource);
  if (found.ok()) return *found.value();
  if (is_transient(found.error().code)) return found.error();
  return Resource{};
}

}  // namespace

std::optional<std::set<Outcome>> outcomes_from_filter(std::string_view filter) {
  if (filter == "succeeded") {
    return std::set{Outcome::kCreated, Outcome::kUpdated, Outcome::kUnchanged,
                    Outcome::kDeleted};
  }
  const std::optional<Outcome> outcome = outcome_from_name(filter);
  if (!outcome) return std::nullopt;
  return std::set{*outcome};
}

Result<std::function<Result<void>(const TextSink&)>> open_results(
    JobService& service, const Caller& caller, const JobReference& reference,
    const ResultQuery& query) {
  auto& parts = service.parts();
  TALLY_TRY_ASSIGN(const Job job, service.find(caller, reference));
  if (!job.submission) {
    return invalid_state(job, "give results",
                         is_terminal(job.state) ? "its upload was never completed"
                                                : "complete its upload first");
  }
  if (job.results_expired) return results_expired(job);
  auto payload = parts.payloads.open(job.id);
  if (!payload.ok() && payload.error().code == ErrorCode::kNotFound) {
    return results_expired(job);
  }
  if (!payload.ok()) return std::move(payload).error();

  TALLY_TRY_ASSIGN(const Resource fields, fields_of(parts.catalog, job));
  const RecordReader::Options options =
      reader_options(job.operation, job.options, job.columns, fields,
                     service.settings().record_bytes_max);
  std::optional<ParentRecords> parents;
  if (job.parent) parents.emplace(parts.ledger, job.number);
  const auto stream = std::make_shared<ResultStream>(ResultStream{
      OutcomeStream(job, ledger_units(parts.jobs, parts.ledger, job),
                    std::make_unique<BatchStream>(std::move(payload).value(), options),
                    query.outcomes),
      make_result_writer(job, options.columns, query), parents});
  return std::function<Result<void>(const TextSink&)>(
      [stream](const TextSink& sink) { return stream->run(sink); });
}

}  // namespace tallyman
