// How fast an upload goes to the disk, the last sync included, and comes back from it.
#include <benchmark/benchmark.h>

#include "payload/disk_payload.h"
#include "payload/test_folder.h"

namespace tallyman {
namespace {

constexpr std::uint64_t kUploadBytes = 512ull << 20;
constexpr std::size_t kPieceBytes = 1 << 20;

void write_upload(PayloadStore& store, const JobId& job, std::string_view chunk) {
  const auto writer = store.create(job).value();
  std::uint64_t indexed = 0;
  while (writer->offset() < kUploadBytes) {
    CHECK(writer->append(chunk).ok());
    for (; indexed + kPieceBytes <= writer->offset(); indexed += kPieceBytes) {
      writer->add_pieces({{indexed, kPieceBytes, indexed, kPieceBytes}});
    }
  }
  CHECK(writer->seal().ok());
}

// The chunk is what one read of a request's body gives.
void BM_WriteUpload(benchmark::State& state) {
  const TestFolder folder;
  const auto store = DiskPayloadStore::open(folder.path()).value();
  const std::string chunk(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) write_upload(*store, JobId(Uuid{}), chunk);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kUploadBytes));
}
BENCHMARK(BM_WriteUpload)->Arg(16 << 10)->Arg(256 << 10)->Arg(4 << 20)->UseRealTime();

// A whole job of one small part.
void BM_WriteSmallUpload(benchmark::State& state) {
  const TestFolder folder;
  const auto store = DiskPayloadStore::open(folder.path()).value();
  const std::string chunk(1'000, 'x');
  for (auto _ : state) {
    const auto writer = store->create(JobId(Uuid{})).value();
    CHECK(writer->append(chunk).ok());
    writer->add_pieces({{0, 1'000, 0, 10}});
    CHECK(writer->seal().ok());
  }
}
BENCHMARK(BM_WriteSmallUpload)->UseRealTime();

void BM_ReadUpload(benchmark::State& state) {
  const TestFolder folder;
  const auto store = DiskPayloadStore::open(folder.path()).value();
  write_upload(*store, JobId(Uuid{}), std::string(kPieceBytes, 'x'));
  std::vector<char> piece(kPieceBytes);
  for (auto _ : state) {
    const auto reader = store->open(JobId(Uuid{})).value();
    for (const Piece& each : reader->pieces()) {
      CHECK(reader->read(each.offset, piece).ok());
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kUploadBytes));
}
BENCHMARK(BM_ReadUpload)->UseRealTime();

}  // namespace
}  // namespace tallyman
