// Random CSV: the invariants of upload_for_fuzz.h, and every kernel finds the same.
#include "format/csv_scanner.h"
#include "format/upload_for_fuzz.h"

namespace tallyman {
namespace {

std::vector<std::uint32_t> scan(std::string_view bytes, SimdKernel kernel) {
  CsvScanner scanner(',', CsvScanner::Want::kSeparators, kernel);
  std::vector<std::uint32_t> places(CsvScanner::kBatchBytes);
  places.resize(scanner.scan(bytes.substr(0, CsvScanner::kBatchBytes), places.data()));
  places.push_back(static_cast<std::uint32_t>(scanner.state()));
  return places;
}

}  // namespace
}  // namespace tallyman

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for_fuzz::check_upload(ContentType::kCsv, bytes);
  for (const SimdKernel kernel : available_kernels()) {
    CHECK(scan(bytes, kernel) == scan(bytes, SimdKernel::kScalar));
  }
  return 0;
}
