// TestEngine: everything below the server, real and wired, over a temporary SQLite file
// and a payload folder. Time stands still but for clock.advance(); no thread of its own:
// a test says when the next job is run.
//
//   TestEngine engine("create table people (id integer primary key, age integer);");
//   const Job job = engine.submit("id,age\n1,41\n");
//   engine.run_next();
//   EXPECT_EQ(engine.find(job).state, JobState::kJobComplete);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "payload/disk_payload.h"
#include "service/job_service.h"
#include "service/results.h"
#include "store/ledger_units.h"
#include "store/sqlite_aggregate_store.h"
#include "store/sqlite_job_store.h"
#include "store/sqlite_ledger.h"
#include "store/sqlite_schema.h"
#include "store/store_backend.h"
#include "target/resource_catalog.h"
#include "target/sqlite_test_backend.h"
#include "worker/job_run.h"
#include "worker/parts.h"
#include "worker/retry_copy.h"
#include "worker/window_plan.h"

namespace tallyman {

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message;
    std::abort();
  }
  return std::move(result).value();
}
inline void must(const Result<void>& result) {
  ASSERT_TRUE(result.ok()) << result.error().message;
}

// The text, at most `step` bytes a call.
inline ByteSource text_source(std::string_view text, std::size_t step = 1 << 20) {
  return [text, step](std::span<char> into) mutable -> Result<std::size_t> {
    const std::size_t length = std::min({text.size(), step, into.size()});
    std::memcpy(into.data(), text.data(), length);
    text.remove_prefix(length);
    return length;
  };
}

// The text, and then the connection breaks.
inline ByteSource broken_source(std::string_view text) {
  return [rest = text_source(text)](std::span<char> into) -> Result<std::size_t> {
    TALLY_TRY_ASSIGN(const std::size_t length, rest(into));
    if (length == 0) return Error{ErrorCode::kUnavailable, "the sender is gone"};
    return length;
  };
}

class TestEngine {
 public:
  // The one resource is "people": the table of that name, under `rules`.
  explicit TestEngine(const std::string& schema, ServiceSettings service_settings = {},
                      ResourceRules rules = {.name = "people", .table = "people"})
      : settings(worker_settings(service_settings)),
        payloads_(must(DiskPayloadStore::open(tables_.scratch_file()))),
        jobs_(tables_.database(), clock, random),
        ledger_(tables_.database()),
        aggregates_(tables_.database()),
        catalog_(tables_.target(), {std::move(rules)}),
        parts_{.database = tables_.database(),
               .catalog = catalog_,
               .target = tables_.target(),
               .jobs = jobs_,
               .ledger = ledger_,
               .aggregates = aggregates_,
               .payloads = *payloads_,
               .clock = clock,
               .random = random},
        service_({.catalog = catalog_,
                  .target = tables_.target(),
                  .jobs = jobs_,
                  .ledger = ledger_,
                  .aggregates = aggregates_,
                  .payloads = *payloads_,
                  .clock = clock,
                  .random = random},
                 service_settings) {
    must(prepare_sqlite_schema(tables_.database()));
    if (!schema.empty()) tables_.execute(schema);
    service_.stop();  // No thread of this engine's would end a wait.
  }

  SqliteTestBackend& tables() { return tables_; }
  JobService& service() { return service_; }
  const WorkerParts& parts() { return parts_; }

  static Caller ann() { return {.name = "ann-laptop", .owner = "ann", .scopes = {"*"}}; }
  static JobReference reference(const Job& job) {
    return {.resource = job.resource, .id = job.id};
  }
  static JobRequest request(ContentType type = ContentType::kCsv,
                            Operation operation = Operation::kInsert,
                            JobOptions options = {}) {
    options.format.type = type;
    return {.resource = "people",
            .operation = operation,
            .options = std::move(options),
            .idempotency_key = {}};
  }

  Job submit(std::string_view text, const JobRequest& asked = request()) {
    return must(service_.submit(ann(), asked, text_source(text)));
  }
  Job find(const Job& job) { return must(jobs_.find(job.id)); }

  MakeWindowPlan one_slice() const {
    return [plan = cut_job(settings, Job{.id = JobId(Uuid{})}, {}).plan](const Job&) {
      return plan;
    };
  }

  Claim claim() {
    const auto claimed = must(jobs_.claim("worker", one_slice(), 1, limits::kLeaseTime));
    CHECK(claimed.has_value());
    return *claimed;
  }
  // Works on the claim until the job ends, is handed on or is lost.
  void run(const Claim& claimed, const StopFlag& stop = {}) {
    LeaseKeeper keeper(jobs_, limits::kLeaseTime);
    LeaseKeeper::Hold hold(keeper, claimed);
    JobRun(parts_, settings, stop, claimed, hold).run();
  }
  void run_next(const StopFlag& stop = {}) { run(claim(), stop); }
  // Submits, runs to the end, and returns the job as it is then.
  Job complete(std::string_view text, const JobRequest& asked = request()) {
    const Job job = submit(text, asked);
    run_next();
    return find(job);
  }

  // A retry of the job whose records have been copied.
  Job retry(const Job& parent) {
    const Job child = must(service_.retry(ann(), reference(parent), {}));
    copy_retry();
    return find(child);
  }
  void copy_retry() {
    const auto claimed = must(jobs_.claim_retry("worker", limits::kLeaseTime));
    CHECK(claimed.has_value());
    must(RetryCopy(parts_, settings, StopFlag(), *claimed).run());
  }

  std::string payload_text(const Job& job) {
    const auto payload = must(payloads_->open(job.id));
    std::string text(payload->bytes(), '\0');
    must(payload->read(0, text));
    return text;
  }
  std::string results(const Job& job, const ResultQuery& query = {}) {
    const auto write = must(open_results(service_, ann(), reference(job), query));
    std::string text;
    must(write([&](std::string_view part) -> Result<void> {
      text += part;
      return {};
    }));
    return text;
  }
  // "1 created", "2 failed INVALID_TYPE age", one a record.
  std::vector<std::string> outcomes(const Job& job) {
    std::vector<std::string> lines;
    const Job now = find(job);
    auto plan = must(JobPlan::make(parts_, settings, now));
    OutcomeStream stream(
        now, ledger_units(jobs_, ledger_, now),
        std::make_unique<BatchStream>(must(payloads_->open(now.id)), plan.reader),
        std::nullopt);
    while (const auto record = must(stream.next())) {
      std::string line = std::to_string(record->record.value());
      line.append(" ").append(name(record->outcome));
      if (record->error) line.append(" ").append(name(record->error->code));
      if (record->error && !record->error->field.empty()) {
        line.append(" ").append(record->error->field);
      }
      lines.push_back(std::move(line));
    }
    return lines;
  }
  std::vector<std::string> query(const std::string& sql) { return tables_.query(sql); }

  ManualClock clock;
  SeededRandom random;
  WorkerSettings settings;

 private:
  static WorkerSettings worker_settings(const ServiceSettings& service_settings) {
    WorkerSettings made;
    made.record_bytes_max = service_settings.record_bytes_max;
    made.stored_bytes_per_owner_max = service_settings.stored_bytes_per_owner_max;
    return made;
  }

  SqliteTestBackend tables_;
  std::unique_ptr<DiskPayloadStore> payloads_;
  SqliteJobStore jobs_;
  SqliteLedger ledger_;
  SqliteAggregateStore aggregates_;
  ResourceCatalog catalog_;
  WorkerParts parts_;
  JobService service_;
};

}  // namespace tallyman
