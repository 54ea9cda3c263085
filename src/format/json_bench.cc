// How fast NDJSON and JSON are split and read.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "format/upload_for_bench.h"

namespace tallyman::for_bench {
namespace {

constexpr InputFormat kNdjson{
    .type = ContentType::kNdjson, .delimiter = ',', .null_value = {}};
constexpr InputFormat kJson{
    .type = ContentType::kJson, .delimiter = ',', .null_value = {}};

std::string records(std::string_view separator, std::string_view inner_quote) {
  std::string text;
  each_transaction([&](const Transaction& it) {
    fmt::format_to(std::back_inserter(text),
                   R"({}{{"account_id": {}, "amount": {}.{:02}, )"
                   R"("transaction_date": "2024-01-{:02}", "description": "{}{}", )"
                   R"("category": "{}", "external_ref": "ref-{:010}"}})",
                   text.empty() ? "" : separator, it.account, it.cents / 100,
                   it.cents % 100, it.day, it.description, inner_quote, it.category,
                   it.reference);
  });
  return text;
}

const std::string& ndjson() {
  static const std::string kText = records("\n", "");
  return kText;
}

const std::string& escaped_ndjson() {
  static const std::string kText = records("\n", "\\n\\u00e9");
  return kText;
}

const std::string& json() {
  static const std::string kText = "[" + records(", ", "") + "]";
  return kText;
}

BENCHMARK_CAPTURE(bench_split, ndjson, kNdjson, ndjson());
BENCHMARK_CAPTURE(bench_split, json, kJson, json());
BENCHMARK_CAPTURE(bench_read, ndjson, kNdjson, ndjson());
BENCHMARK_CAPTURE(bench_read, ndjson_escaped, kNdjson, escaped_ndjson());
BENCHMARK_CAPTURE(bench_read, json, kJson, json());
BENCHMARK_CAPTURE(bench_split_and_read, ndjson, kNdjson, ndjson());
BENCHMARK_CAPTURE(bench_split_and_read, json, kJson, json());

}  // namespace
}  // namespace tallyman::for_bench
