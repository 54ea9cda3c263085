#include "worker/job_plan.h"

#include "format/reader_options.h"
#include "target/write_spec.h"

namespace tallyman {

Result<JobPlan> JobPlan::make(const WorkerParts& parts, const WorkerSettings& settings,
                              Job job) {
  TALLY_TRY_ASSIGN(auto resource, parts.catalog.find(job.resource));
  RecordReader::Options reader = reader_options(job.operation, job.options, job.columns,
                                                *resource, settings.record_bytes_max);
  WriteSpec spec =
      write_spec(job.operation, job.options, reader.columns, settings.general_path);
  spec.acting = job.acting;
  spec.parallel = job.parallel;
  TALLY_TRY_ASSIGN(auto writer, parts.target.make_writer(*resource, spec));
  return JobPlan{.job = std::move(job),
                 .resource = std::move(resource),
                 .reader = std::move(reader),
                 .writer = std::move(writer)};
}

Result<std::unique_ptr<WindowSource>> JobPlan::windows(PayloadStore& payloads,
                                                       WindowNumber number,
                                                       RecordNumber first) const {
  TALLY_TRY_ASSIGN(auto payload, payloads.open(job.id));
  return std::make_unique<WindowSource>(
      std::make_unique<BatchStream>(std::move(payload), reader), *job.plan, number,
      first);
}

Result<std::unique_ptr<KeyTable>> JobPlan::note_keys(const WorkerParts& parts) const {
  if (job.options.on_duplicate == OnDuplicate::kSequence)
    return std::unique_ptr<KeyTable>();
  TALLY_TRY_ASSIGN(auto keys,
                   writer->make_key_table(parts.payloads.scratch_path(job.id, "keys")));
  TALLY_TRY_ASSIGN(auto source,
                   windows(parts.payloads, WindowNumber(0), RecordNumber(1)));
  WindowPipeline pipeline(std::move(source), *writer);
  while (true) {
    TALLY_TRY_ASSIGN(auto window, pipeline.next());
    if (!window) break;
    TALLY_TRY(keys->add(*window->bound));
    TALLY_TRY(
        note_applied(parts.ledger, job.number, window->number, *window->bound, *keys));
  }
  return keys;
}

Result<void> note_applied(Ledger& ledger, JobNumber job, WindowNumber window,
                          const BoundWindow& bound, KeyTable& keys) {
  SliceNumber slice(0);
  while (true) {
    TALLY_TRY_ASSIGN(const auto unit, ledger.next_unit(job, window, slice));
    if (!unit || unit->window != window) return {};
    TALLY_TRY(keys.add_applied(bound, unit->outcomes));
    slice = SliceNumber(unit->slice.value() + 1);
  }
}

}  // namespace tallyman
