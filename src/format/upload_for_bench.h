// Uploads for benchmarks: 100,000 transactions, the same in every run, and what it takes
// to split and read them.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "format/record_reader.h"
#include "format/splitter.h"

namespace tallyman::for_bench {

inline constexpr int kRecords = 100'000;
inline constexpr std::size_t kChunkBytes = 256 << 10;

struct Transaction {
  int account;
  int cents;
  int day;
  std::string description;
  std::string_view category;
  int reference;
};

template <class Visit>
void each_transaction(const Visit& visit) {
  static constexpr std::string_view kCategories[] = {"Food", "Transportation", "Rent"};
  std::mt19937 random(1);
  for (int i = 0; i < kRecords; ++i) {
    visit(Transaction{.account = static_cast<int>(random() % 10'000),
                      .cents = static_cast<int>(random() % 1'000'000),
                      .day = static_cast<int>(random() % 28) + 1,
                      .description = "payment no. " + std::to_string(random()),
                      .category = kCategories[random() % 3],
                      .reference = i});
  }
}

inline const std::vector<std::string>& columns() {
  static const std::vector<std::string> kColumns{"account_id",       "amount",
                                                 "transaction_date", "description",
                                                 "category",         "external_ref"};
  return kColumns;
}

// Splits `bytes` as they would come in.
inline std::vector<Piece> split(const InputFormat& format, std::string_view bytes) {
  const auto splitter = make_splitter(format, {});
  std::vector<Piece> pieces;
  const auto take = [&] {
    for (const Piece& piece : splitter->take_pieces()) pieces.push_back(piece);
  };
  for (std::size_t done = 0; done < bytes.size(); done += kChunkBytes) {
    CHECK(splitter->push(bytes.substr(done, kChunkBytes)).ok());
    take();
  }
  CHECK(splitter->finish().ok());
  take();
  return pieces;
}

inline std::uint64_t read(RecordReader& reader, const std::vector<Piece>& pieces,
                          std::string_view bytes) {
  std::uint64_t records = 0;
  for (const Piece& piece : pieces) {
    auto copy =
        std::make_unique_for_overwrite<char[]>(piece.length + RecordBatch::kPadding);
    std::memcpy(copy.get(), bytes.data() + piece.offset, piece.length);
    const auto batch = reader.read(piece, std::move(copy));
    CHECK(batch.ok() && !batch.value()->has_faults());
    records += batch.value()->size();
  }
  return records;
}

inline void bench_split(benchmark::State& state, const InputFormat& format,
                        const std::string& bytes) {
  for (auto _ : state) benchmark::DoNotOptimize(split(format, bytes).size());
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}

inline void bench_read(benchmark::State& state, const InputFormat& format,
                       const std::string& bytes) {
  const auto pieces = split(format, bytes);
  RecordReader reader({.format = format, .columns = columns()});
  for (auto _ : state) CHECK(read(reader, pieces, bytes) == kRecords);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}

inline void bench_split_and_read(benchmark::State& state, const InputFormat& format,
                                 const std::string& bytes) {
  RecordReader reader({.format = format, .columns = columns()});
  for (auto _ : state) CHECK(read(reader, split(format, bytes), bytes) == kRecords);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}

}  // namespace tallyman::for_bench
