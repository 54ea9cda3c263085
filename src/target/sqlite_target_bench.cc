// How fast a million transactions go into a SQLite file, in windows of 80,000 records: an
// auto-numbered primary key, a unique text and an index, as users have them. Time is that
// of the writing thread; reading and binding (the other thread's) are counters of their
// own. Also the plain SQLite C API on the same data, for the ratio.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "db/test_database.h"
#include "model/limits.h"
#include "target/sqlite_target.h"
#include "target/test_upload.h"

namespace tallyman {
namespace {

constexpr int kRecords = 1'000'000;
constexpr const char* kSchema =
    "CREATE TABLE transactions (id integer PRIMARY KEY, account_id integer NOT NULL, "
    "amount numeric(12,2) NOT NULL, transaction_date date NOT NULL, "
    "description varchar(200), category varchar(50), external_ref varchar(40) UNIQUE);"
    "CREATE INDEX by_account ON transactions (account_id);";

std::string record(int i) {
  const int cents = static_cast<int>((i * 7919LL) % 1'000'000);
  char text[200];
  std::snprintf(text, sizeof text,
                "%d,%d.%02d,2024-%02d-%02d,Payment number %d of the year,Category %d,"
                "REF-%08d-ABCDEFGHIJ\n",
                i % 10'000 + 1, cents / 100, cents % 100, i % 12 + 1, i % 28 + 1, i,
                i % 20, i);
  return text;
}

std::string upload_text(int first, int count) {
  std::string text =
      "account_id,amount,transaction_date,description,category,external_ref\n";
  for (int i = first; i < first + count; ++i) text += record(i);
  return text;
}

std::string ids_text() {
  std::string text = "id,category\n";
  for (int i = 1; i <= kRecords; ++i) text += std::to_string(i) + ",Other\n";
  return text;
}

class Bench {
 public:
  Bench() {
    auto transaction = database_->begin_write(std::chrono::seconds(1));
    CHECK(db::sqlite(*transaction.value()).exec(kSchema).ok());
    CHECK(transaction.value()->commit().ok());
  }

  struct Times {
    double bind = 0;
    double write = 0;
  };

  Times run(WriteSpec spec, const std::string& text) {
    const Resource resource = target_.introspect("transactions").value();
    const TestUpload upload(ContentType::kCsv, text, resource);
    spec.columns = upload.columns();
    auto writer = target_.make_writer(resource, spec);
    CHECK(writer.ok());
    Times times;
    units_.clear();
    for (const Window& window : upload.windows(limits::kWindowRecords)) {
      const auto begin = std::chrono::steady_clock::now();
      const auto bound = writer.value()->bind(window, SliceSet{});
      const auto middle = std::chrono::steady_clock::now();
      auto transaction = database_->begin_write(std::chrono::seconds(1));
      auto outcomes =
          writer.value()->write(*transaction.value(), *bound, SliceNumber(0), {});
      CHECK(outcomes.ok() && outcomes.value().errors.empty());
      CHECK(transaction.value()->commit().ok());
      const auto end = std::chrono::steady_clock::now();
      times.bind += std::chrono::duration<double>(middle - begin).count();
      times.write += std::chrono::duration<double>(end - middle).count();
      units_.push_back(std::move(outcomes).value());
    }
    return times;
  }

  double aggregate(const std::vector<AggregateSpec>& specs) {
    const Resource resource = target_.introspect("transactions").value();
    const RowIdSourceMaker ids = [&]() -> RowIdSource {
      return [&, next = std::size_t{0}](UnitOutcomes& into) mutable -> Result<bool> {
        if (next == units_.size()) return false;
        into = units_[next++];
        return true;
      };
    };
    const auto begin = std::chrono::steady_clock::now();
    auto transaction = database_->begin_read();
    auto results = target_.aggregate(*transaction.value(), resource, specs, ids, {});
    CHECK(results.ok());
    for (const AggregateResult& result : results.value()) CHECK(result.error.empty());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
        .count();
  }

  // The same inserts by hand: one prepared statement, constants for all but the key.
  double insert_by_hand() {
    const auto begin = std::chrono::steady_clock::now();
    for (int first = 0; first < kRecords; first += 80'000) {
      auto transaction = database_->begin_write(std::chrono::seconds(1));
      insert_window(db::sqlite(*transaction.value()), first);
      CHECK(transaction.value()->commit().ok());
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
        .count();
  }

 private:
  static void insert_window(db::SqliteConnection& connection, int first) {
    auto prepared = connection.prepare(
        "INSERT INTO transactions (account_id, amount, transaction_date, description, "
        "category, external_ref) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    db::SqliteStatement insert = std::move(prepared).value();
    for (int i = first; i < std::min(first + 80'000, kRecords); ++i) {
      char ref[40];
      std::snprintf(ref, sizeof ref, "REF-%08d-ABCDEFGHIJ", i);
      insert.bind_integer(1, i % 10'000 + 1);
      insert.bind_float(2, (i % 100'000) / 100.0);
      insert.bind_text(3, "2024-01-31");
      insert.bind_text(4, "Payment number 123456 of the year");
      insert.bind_text(5, "Category 7");
      insert.bind_text(6, ref);
      CHECK(insert.run().ok());
    }
  }

  db::TemporaryDatabase database_;
  SqliteTarget target_{*database_};
  std::vector<UnitOutcomes> units_;
};

void report(benchmark::State& state, const Bench::Times& times) {
  state.SetIterationTime(times.write);
  state.counters["bind_seconds"] = times.bind;
}

void InsertByHand(benchmark::State& state) {
  for (auto _ : state) {
    Bench bench;
    state.SetIterationTime(bench.insert_by_hand());
  }
}

void Insert(benchmark::State& state) {
  const std::string text = upload_text(0, kRecords);
  for (auto _ : state) {
    Bench bench;
    report(state, bench.run({.general_path = state.range(0) != 0}, text));
  }
}

void UpsertHalfPresent(benchmark::State& state) {
  const std::string present = upload_text(kRecords / 2, kRecords / 2);
  std::string text = upload_text(0, kRecords);
  for (std::size_t at = 0; (at = text.find("Category", at)) != std::string::npos; ++at) {
    text.replace(at, 8, "Kategory");  // Else those present would be unchanged.
  }
  for (auto _ : state) {
    Bench bench;
    bench.run({}, present);
    report(state,
           bench.run({.operation = Operation::kUpsert, .unique_fields = {"external_ref"}},
                     text));
  }
}

void ChangeByKey(benchmark::State& state, Operation operation) {
  const std::string all = upload_text(0, kRecords);
  const std::string ids = ids_text();
  for (auto _ : state) {
    Bench bench;
    bench.run({}, all);
    report(state, bench.run({.operation = operation}, ids));
  }
}

void Aggregates(benchmark::State& state) {
  AggregateSpec sum{.name = "sum", .type = AggregateType::kSum, .field = "amount"};
  AggregateSpec by_category{.name = "count", .type = AggregateType::kCount};
  by_category.group_by = {"category"};
  AggregateSpec distinct{
      .name = "refs", .type = AggregateType::kCountDistinct, .field = "external_ref"};
  Bench bench;
  bench.run({}, upload_text(0, kRecords));
  const std::vector<AggregateSpec> all = {sum, by_category, distinct};
  const std::size_t place = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) state.SetIterationTime(bench.aggregate({all[place]}));
  state.SetLabel(all[place].name);
}

BENCHMARK(InsertByHand)->UseManualTime()->Unit(benchmark::kSecond)->Iterations(1);
BENCHMARK(Insert)
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->Unit(benchmark::kSecond)
    ->Iterations(1);
BENCHMARK(UpsertHalfPresent)->UseManualTime()->Unit(benchmark::kSecond)->Iterations(1);
BENCHMARK_CAPTURE(ChangeByKey, update, Operation::kUpdate)
    ->UseManualTime()
    ->Unit(benchmark::kSecond)
    ->Iterations(1);
BENCHMARK_CAPTURE(ChangeByKey, delete, Operation::kDelete)
    ->UseManualTime()
    ->Unit(benchmark::kSecond)
    ->Iterations(1);
BENCHMARK(Aggregates)
    ->DenseRange(0, 2)
    ->UseManualTime()
    ->Unit(benchmark::kSecond)
    ->Iterations(2);

}  // namespace
}  // namespace tallyman
