// What the SQLite stores cost with 10,000 waiting jobs in them, and the ledger a window.
#include <benchmark/benchmark.h>

#include "store/ledger_codec.h"
#include "store/sqlite_backend.h"

namespace tallyman {
namespace {

constexpr std::chrono::seconds kLease{10};
constexpr WindowPlan kPlan{.window_records = 80'000, .window_bytes = 24 << 20};

WindowPlan make_plan(const Job&) { return kPlan; }

constexpr const char* kTenThousandJobs = R"sql(
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
INSERT INTO tallyman_job (id, resource, table_name, operation, state, owner, created_by,
  options, dry_run, created_at, updated_at, epoch, submission, submitted_at, columns,
  upload_bytes, total_items, checked_items, created, updated, unchanged, deleted, failed,
  message, verified, results_expired, retries, lanes_reason, superseded, idempotency_key,
  fingerprint)
SELECT printf('00000000-0000-7000-8000-%012d', i), 'r' || (i % 20), 't' || (i % 20), 0, 1, 'ann',
  'ann', '{"content_type":"text/csv","on_duplicate":"sequence"}', 0, i, i, 0, i / 20 + 1, i,
  x'0102696403616765', 1000, 100, 0, 0, 0, 0, 0, 0, '', 0, 0, 0, '', 0, '', '' FROM n;
INSERT INTO tallyman_table SELECT DISTINCT table_name, 500, 0 FROM tallyman_job;
)sql";

SqliteBackend& full_backend() {
  static SqliteBackend backend;
  static const bool filled = [] {
    auto transaction = backend.database().begin_write(std::chrono::seconds(5));
    CHECK(transaction.ok());
    auto owned = std::move(transaction).value();
    CHECK(db::sqlite(*owned).exec(kTenThousandJobs).ok());
    return owned->commit().ok();
  }();
  CHECK(filled);
  return backend;
}

void list_page(benchmark::State& state) {
  auto& jobs = full_backend().jobs();
  for (auto _ : state) {
    const auto page = jobs.list({.resources = {"r3"}, .limit = 100});
    CHECK(page.ok() && page.value().size() == 100);
  }
}
BENCHMARK(list_page)->Unit(benchmark::kMicrosecond);

void find_job(benchmark::State& state) {
  auto& jobs = full_backend().jobs();
  for (auto _ : state) CHECK(jobs.find(JobNumber(5'000)).ok());
}
BENCHMARK(find_job)->Unit(benchmark::kMicrosecond);

void claim_in_vain(benchmark::State& state) {
  auto& jobs = full_backend().jobs();
  while (true) {
    const auto claimed = jobs.claim("worker", make_plan, 1, kLease);
    CHECK(claimed.ok());
    if (!claimed.value()) break;
  }
  for (auto _ : state) CHECK(jobs.claim("worker", make_plan, 1, kLease).ok());
}
BENCHMARK(claim_in_vain)->Unit(benchmark::kMicrosecond);

void find_token(benchmark::State& state) {
  auto& tokens = full_backend().tokens();
  static const std::string secret =
      tokens.create({.name = "t", .owner = "ann", .scopes = {"*"}}).value();
  for (auto _ : state) CHECK(tokens.find(secret).value().has_value());
}
BENCHMARK(find_token)->Unit(benchmark::kMicrosecond);

UnitOutcomes window(std::int64_t id_step_max) {
  UnitOutcomes unit;
  unit.outcomes.assign(80'000, Outcome::kCreated);
  unit.ids.kind = RowIdKind::kInteger;
  std::int64_t id = 1'000'000;
  for (std::int64_t i = 0; i < 80'000; ++i) unit.ids.push(id += 1 + i * i % id_step_max);
  return unit;
}

void encode_window(benchmark::State& state) {
  const UnitOutcomes unit = window(state.range(0));
  std::size_t bytes = 0;
  for (auto _ : state) bytes = encode_outcomes(unit).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(encode_window)->Arg(1)->Arg(1'000)->Unit(benchmark::kMicrosecond);

void decode_window(benchmark::State& state) {
  const auto bytes = encode_outcomes(window(state.range(0)));
  for (auto _ : state) CHECK(decode_outcomes(bytes).ok());
}
BENCHMARK(decode_window)->Arg(1)->Arg(1'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tallyman
