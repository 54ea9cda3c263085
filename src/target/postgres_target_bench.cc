// How fast the parts around writing to PostgreSQL are: a million transactions bound into
// the wire form and put together as rows of COPY BINARY, and aggregates over a million
// rows of a table of three million.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <numeric>
#include <string>

#include "db/test_postgres.h"
#include "model/limits.h"
#include "target/postgres_aggregate.h"
#include "target/postgres_window.h"
#include "target/test_upload.h"

namespace tallyman {
namespace {

constexpr int kRecords = 1'000'000;
constexpr const char* kSchema =
    "CREATE TABLE transactions (id bigserial PRIMARY KEY, account_id integer NOT NULL, "
    "amount numeric(12,2) NOT NULL, transaction_date date NOT NULL, "
    "description varchar(200), category varchar(50), external_ref varchar(40) UNIQUE);"
    "CREATE INDEX by_account ON transactions (account_id);";

std::string upload_text() {
  std::string text =
      "account_id,amount,transaction_date,description,category,external_ref\n";
  for (int i = 0; i < kRecords; ++i) {
    const int cents = static_cast<int>((i * 7919LL) % 1'000'000);
    char line[200];
    std::snprintf(line, sizeof line,
                  "%d,%d.%02d,2024-%02d-%02d,Payment number %d of the year,Category %d,"
                  "REF-%08d-ABCDEFGHIJ\n",
                  i % 10'000 + 1, cents / 100, cents % 100, i % 12 + 1, i % 28 + 1, i,
                  i % 20, i);
    text += line;
  }
  return text;
}

class Backend {
 public:
  Backend() {
    database_.sql(kSchema);
    transaction_ = database_->begin_read().value();
    table_ = read_postgres_table(connection(), "transactions").value();
  }
  db::PostgresConnection& connection() { return db::postgres(*transaction_); }
  void sql(const std::string& statements) { database_.sql(statements); }
  void begin_anew() {
    transaction_.reset();
    transaction_ = database_->begin_read().value();
  }
  const PostgresTable& table() const { return table_; }

 private:
  db::TemporaryPostgres database_;
  std::unique_ptr<db::Transaction> transaction_;
  PostgresTable table_;
};

void BM_Bind(benchmark::State& state) {
  Backend backend;
  const std::string text = upload_text();
  const TestUpload upload(ContentType::kCsv, text, backend.table().resource);
  WriteSpec spec;
  spec.columns = upload.columns();
  const WritePlan plan = plan_write(backend.table().resource, spec).value();
  const auto binder =
      PostgresBinder::make(backend.table().resource, backend.table(), plan).value();
  const PostgresSlicing slicing{.slices = static_cast<std::uint32_t>(state.range(0)),
                                .by_key = state.range(0) > 1,
                                .in_turns = state.range(0) > 1,
                                .wanted = {}};
  const bool with_rows = state.range(1) != 0;
  const auto windows = upload.windows(limits::kWindowRecords);
  std::vector<std::size_t> columns(plan.fields.size());
  std::iota(columns.begin(), columns.end(), 0);
  std::size_t memory = 0;
  for (auto _ : state) {
    std::string rows;
    for (const Window& window : windows) {
      const auto bound = binder.bind(window, slicing);
      memory = std::max(memory, bound->memory_bytes());
      if (!with_rows) continue;
      rows.clear();
      for (std::size_t i = 0; i < bound->size(); ++i) {
        db::append_wire16(rows, static_cast<std::uint16_t>(bound->columns()));
        bound->append_fields(columns, i, rows);
      }
      benchmark::DoNotOptimize(rows.data());
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.counters["cells/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kRecords * 6,
                         benchmark::Counter::kIsRate);
  state.counters["window_bytes"] = static_cast<double>(memory);
}
BENCHMARK(BM_Bind)
    ->ArgNames({"slices", "rows"})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Args({8, 0})
    ->Unit(benchmark::kMillisecond);

RowIdSourceMaker ids_from(std::int64_t first, std::int64_t step) {
  return [first, step]() -> RowIdSource {
    return [=, at = std::int64_t{0}](UnitOutcomes& into) mutable -> Result<bool> {
      constexpr std::int64_t kUnit = 80'000;
      if (at == kRecords) return false;
      into = {};
      into.ids.kind = RowIdKind::kInteger;
      for (std::int64_t i = 0; i < kUnit && at < kRecords; ++i, ++at) {
        into.outcomes.push_back(Outcome::kCreated);
        into.ids.push(first + at * step);
      }
      return true;
    };
  };
}

void BM_Aggregate(benchmark::State& state) {
  Backend backend;
  backend.sql(
      "INSERT INTO transactions (account_id, amount, transaction_date, description, "
      "category, external_ref) SELECT i % 10000 + 1, i % 100000 / 100.0, '2024-01-01', "
      "'Payment number ' || i || ' of the year', 'Category ' || i % 20, 'REF-' || i "
      "FROM generate_series(1, 3000000) AS i");
  backend.sql("VACUUM ANALYZE transactions");
  AggregateSpec sum;
  sum.name = "total";
  sum.type = AggregateType::kSum;
  sum.field = "amount";
  if (state.range(1) != 0) sum.group_by = {"category"};
  const std::vector<AggregateSpec> specs = {sum};
  for (auto _ : state) {
    backend.begin_anew();
    const auto results = aggregate_postgres(backend.connection(), backend.table(),
                                            backend.table().resource, specs,
                                            ids_from(1'000'000, state.range(0)), {});
    CHECK(results.ok() && results.value().front().error.empty());
  }
}
BENCHMARK(BM_Aggregate)
    ->ArgNames({"step", "grouped"})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Args({2, 0})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace tallyman
