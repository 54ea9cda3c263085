// StoreBackend: what a conformance test of the stores runs against. Each backend makes
// one:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, JobStoreConformance,
//       testing::Values([] { return std::make_unique<SqliteBackend>(); }));
//
// Time stands still but for advance(); randomness is seeded.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "store/aggregate_store.h"
#include "store/job_store.h"
#include "store/ledger.h"
#include "store/owner_share.h"
#include "store/token_store.h"

namespace tallyman {

class ManualClock final : public Clock {
 public:
  Timestamp now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(now().time_since_epoch());
  }
  void advance(std::chrono::microseconds time) {
    const std::lock_guard lock(mutex_);
    now_ += time;
  }

 private:
  mutable std::mutex mutex_;
  Timestamp now_ = from_micros(1'700'000'000'000'000);
};

class SeededRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override {
    const std::lock_guard lock(mutex_);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mutex mutex_;
  std::mt19937 engine_{20240115};
};

class StoreBackend {
 public:
  virtual ~StoreBackend() = default;
  virtual JobStore& jobs() = 0;
  virtual Ledger& ledger() = 0;
  virtual TokenStore& tokens() = 0;
  virtual AggregateStore& aggregates() = 0;
  virtual db::Database& database() = 0;
  // All of it anew over the same database, as after a crash.
  virtual void restart() = 0;

  ManualClock clock;
  SeededRandom random;
  OwnerWeights weights;  // Of the stores from the next restart() on.
};

using MakeStoreBackend = std::function<std::unique_ptr<StoreBackend>()>;

class StoreConformance : public testing::TestWithParam<MakeStoreBackend> {
 protected:
  static constexpr std::chrono::seconds kLease{10};
  static constexpr std::chrono::seconds kWait{20};

  JobStore& jobs() { return backend_->jobs(); }
  Ledger& ledger() { return backend_->ledger(); }
  ManualClock& clock() { return backend_->clock; }

  static WindowPlan plan(std::uint32_t slices = 1) {
    return {.window_records = 100, .window_bytes = 1'000, .slices = slices};
  }

  static MakeWindowPlan make_plan(std::uint32_t slices = 1) {
    return [slices](const Job&) { return plan(slices); };
  }

  NewJob new_job(std::string table = "people") {
    return {.id = JobId(Uuid::make_v7(clock().now(), backend_->random)),
            .resource = table,
            .table = table,
            .owner = "ann",
            .created_by = "ann-laptop",
            .options = {},
            .idempotency_key = {},
            .parent = std::nullopt};
  }

  template <class T>
  static T must(Result<T> result) {
    if (!result.ok()) {
      ADD_FAILURE() << result.error().message;
      std::abort();
    }
    return std::move(result).value();
  }
  static void must(const Result<void>& result) {
    ASSERT_TRUE(result.ok()) << result.error().message;
  }
  template <class T>
  static ErrorCode code(const Result<T>& result) {
    EXPECT_FALSE(result.ok());
    return result.ok() ? ErrorCode::kInternal : result.error().code;
  }

  Job open(std::string table = "people") {
    return must(jobs().create(new_job(std::move(table))));
  }
  JobChange upload_completed(const Job& job, std::uint64_t items = 300) {
    return {.id = job.id,
            .event = JobEvent::kUploadCompleted,
            .by = "ann",
            .upload = CompletedUpload{.total_items = items,
                                      .upload_bytes = items * 10,
                                      .columns = {"id", "na\nme"},
                                      .fingerprint = "f",
                                      .operation = std::nullopt,
                                      .options = std::nullopt}};
  }
  Job submit(std::string table = "people", std::uint64_t items = 300) {
    return must(jobs().apply(upload_completed(open(std::move(table)), items)));
  }
  // One slice of a job that is cut into as many.
  Claim claim(std::uint32_t slices = 1) {
    const auto claimed =
        must(jobs().claim("worker-1", make_plan(slices), slices, kLease));
    CHECK(claimed.has_value());
    return *claimed;
  }
  bool nothing_to_claim() {
    return !must(jobs().claim("worker-2", make_plan(), 1, kLease)).has_value();
  }
  Job finish(const Claim& held) {
    const Job job = must(jobs().find(held.job));
    return must(jobs().apply({.id = job.id,
                              .event = JobEvent::kFinished,
                              .claim = held,
                              .upload = std::nullopt,
                              .verified = true}));
  }
  Job abort(const Job& job) {
    return must(jobs().apply({.id = job.id,
                              .event = JobEvent::kAbortRequested,
                              .by = "ann",
                              .detail = "why not"}));
  }

  // `created` records and then `failed` ones, from `first` on.
  static UnitOutcomes outcomes(std::int64_t first, std::size_t created,
                               std::size_t failed = 0) {
    UnitOutcomes unit{.first_record = RecordNumber(first),
                      .places = {},
                      .outcomes = std::vector(created, Outcome::kCreated),
                      .ids = {.kind = RowIdKind::kInteger},
                      .errors = {}};
    unit.outcomes.insert(unit.outcomes.end(), failed, Outcome::kFailed);
    for (std::size_t i = 0; i < created + failed; ++i) {
      unit.ids.push(static_cast<std::int64_t>(i < created ? 1'000 + i : 0));
    }
    for (std::size_t i = created; i < created + failed; ++i) {
      unit.errors.emplace_back(
          i, RecordError{RecordErrorCode::kInvalidType, "age", "age: not an integer"});
    }
    return unit;
  }

  Result<void> write_unit(const Claim& held, std::int64_t window,
                          const UnitOutcomes& unit, std::uint64_t window_records) {
    TALLY_TRY_ASSIGN(auto transaction, backend_->database().begin_write(kWait));
    const UnitPlace place{WindowNumber(window), held.slices.front()};
    TALLY_TRY(ledger().begin_unit(*transaction, held, place));
    TALLY_TRY(ledger().end_unit(*transaction, held, place, window_records, unit));
    TALLY_TRY(transaction->commit());
    jobs().announce();
    return {};
  }
  Result<void> write_unit(const Claim& held, std::int64_t window,
                          const UnitOutcomes& unit) {
    return write_unit(held, window, unit, unit.size());
  }

  std::vector<std::string> events_of(const Job& job) {
    std::vector<std::string> events;
    for (const auto& entry : must(jobs().history(job.number)))
      events.push_back(entry.event);
    return events;
  }

  std::unique_ptr<StoreBackend> backend_ = GetParam()();
};

}  // namespace tallyman
