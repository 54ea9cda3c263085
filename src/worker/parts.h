// What the worker's pieces work with. Everything outlives them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "db/database.h"
#include "model/job.h"
#include "model/limits.h"
#include "payload/payload.h"
#include "store/aggregate_store.h"
#include "store/job_store.h"
#include "store/ledger.h"
#include "target/resource_catalog.h"
#include "target/target.h"

namespace tallyman {

struct WorkerParts {
  db::Database& database;
  ResourceCatalog& catalog;
  Target& target;
  JobStore& jobs;
  Ledger& ledger;
  AggregateStore& aggregates;
  PayloadStore& payloads;
  Clock& clock;
  Random& random;
};

struct WorkerSettings {
  std::string name = "worker";  // In leases and logs.
  unsigned threads = 2;         // Jobs at once (of a table: parallel ones).
  std::uint64_t window_records = limits::kWindowRecords;
  std::uint64_t window_bytes = limits::kWindowBytes;
  std::uint32_t lanes = 1;  // How many may work on one job at once.
  bool general_path = false;
  std::uint64_t record_bytes_max = limits::kRecordBytesMax;
  std::uint64_t stored_bytes_per_owner_max = limits::kStoredBytesPerOwnerMax;
  std::chrono::milliseconds lease_time = limits::kLeaseTime;
  // How long one attempt waits for the writer; then the stop flag is looked at again.
  std::chrono::milliseconds writer_wait = limits::kWriterWait / 5;
  std::chrono::milliseconds open_time_max = limits::kOpenTimeMax;
  std::chrono::milliseconds results_retention = limits::kResultsRetention;
  std::chrono::milliseconds job_retention = limits::kJobRetention;
};

}  // namespace tallyman
