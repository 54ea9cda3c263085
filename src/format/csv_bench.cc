// How fast CSV is split and read: plain cells, and cells in quotes with quotes in them.
#include <benchmark/benchmark.h>
#include <csv.h>
#include <fmt/format.h>

#include "format/csv_scanner.h"
#include "format/upload_for_bench.h"

namespace tallyman::for_bench {
namespace {

constexpr InputFormat kFormat{
    .type = ContentType::kCsv, .delimiter = ',', .null_value = {}};

std::string csv(std::string_view quote, std::string_view inner_quote) {
  std::string text = fmt::format("{}\n", fmt::join(columns(), ","));
  each_transaction([&](const Transaction& it) {
    fmt::format_to(std::back_inserter(text),
                   "{},{}.{:02},2024-01-{:02},{}{}{}{},{},ref-{:010}\n", it.account,
                   it.cents / 100, it.cents % 100, it.day, quote, it.description,
                   inner_quote, quote, it.category, it.reference);
  });
  return text;
}

const std::string& plain() {
  static const std::string kText = csv("", "");
  return kText;
}

const std::string& quoted() {
  static const std::string kText = csv("\"", "\"\"");
  return kText;
}

void scan_csv(benchmark::State& state, SimdKernel kernel) {
  const std::string_view bytes = quoted();
  static std::uint32_t places[CsvScanner::kBatchBytes];
  CsvScanner scanner(',', CsvScanner::Want::kSeparators, kernel);
  for (auto _ : state) {
    for (std::size_t done = 0; done < bytes.size(); done += CsvScanner::kBatchBytes) {
      benchmark::DoNotOptimize(
          scanner.scan(bytes.substr(done, CsvScanner::kBatchBytes), places));
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}

// The peer: what C programs use.
void libcsv(benchmark::State& state, std::string_view text) {
  std::size_t cells = 0;
  for (auto _ : state) {
    csv_parser parser;
    csv_init(&parser, 0);
    csv_parse(
        &parser, text.data(), text.size(),
        [](void*, std::size_t, void* count) { ++*static_cast<std::size_t*>(count); },
        nullptr, &cells);
    csv_free(&parser);
  }
  benchmark::DoNotOptimize(cells);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

const int kRegistered = [] {
  for (const SimdKernel kernel : available_kernels()) {
    benchmark::RegisterBenchmark(("csv/scan/" + std::string(name(kernel))).c_str(),
                                 scan_csv, kernel);
  }
  return 0;
}();

BENCHMARK_CAPTURE(bench_split, csv_plain, kFormat, plain());
BENCHMARK_CAPTURE(bench_split, csv_quoted, kFormat, quoted());
BENCHMARK_CAPTURE(bench_read, csv_plain, kFormat, plain());
BENCHMARK_CAPTURE(bench_read, csv_quoted, kFormat, quoted());
BENCHMARK_CAPTURE(bench_split_and_read, csv_plain, kFormat, plain());
BENCHMARK_CAPTURE(bench_split_and_read, csv_quoted, kFormat, quoted());
BENCHMARK_CAPTURE(libcsv, csv_plain, plain());
BENCHMARK_CAPTURE(libcsv, csv_quoted, quoted());

}  // namespace
}  // namespace tallyman::for_bench
