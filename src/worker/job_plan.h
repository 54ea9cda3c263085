// JobPlan: all that is needed to work on a job's records: the job, its resource as the
// table is now, and the writer.
//
// Threads: one.
#pragma once

#include <memory>
#include <set>

#include "base/result.h"
#include "format/record_reader.h"
#include "worker/parts.h"
#include "worker/window_pipeline.h"

namespace tallyman {

struct JobPlan {
  Job job;
  std::shared_ptr<const Resource> resource;
  RecordReader::Options reader;
  std::unique_ptr<JobWriter> writer;

  // kNotFound, kInvalidArgument: the table is not what it was at the upload.
  static Result<JobPlan> make(const WorkerParts& parts, const WorkerSettings& settings,
                              Job job);

  // The job's windows from one on, not yet bound.
  Result<std::unique_ptr<WindowSource>> windows(PayloadStore& payloads,
                                                WindowNumber number,
                                                RecordNumber first) const;

  // Notes the keys of the whole upload, where on_duplicate needs to know them, and which
  // of them took effect so far. Null for OnDuplicate::kSequence.
  Result<std::unique_ptr<KeyTable>> note_keys(const WorkerParts& parts) const;
};

// Reads a window's outcomes from the ledger into the key table: what took effect.
Result<void> note_applied(Ledger& ledger, JobNumber job, WindowNumber window,
                          const BoundWindow& bound, KeyTable& keys);

}  // namespace tallyman
