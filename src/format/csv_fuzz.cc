// Random CSV: the invariants of upload_for_fuzz.h, and every kernel finds the same.
#include "format/csv_scanner.h"
#include "format/upload_for_fuzz.h"

namespace tallyman {
namespace {

// The places of all separators, and the state at the end.
std::vector<std::size_t> scan(std::string_view bytes, char delimiter,
                              std::size_t batch_bytes, SimdKernel kernel) {
  CsvScanner scanner(delimiter, CsvScanner::Want::kSeparators, kernel);
  std::vector<std::uint32_t> found(CsvScanner::kBatchBytes);
  std::vector<std::size_t> places;
  for (std::size_t begin = 0; begin < bytes.size(); begin += batch_bytes) {
    const std::size_t count =
        scanner.scan(bytes.substr(begin, batch_bytes), found.data());
    for (std::size_t i = 0; i < count; ++i) places.push_back(begin + found[i]);
  }
  places.push_back(static_cast<std::size_t>(scanner.state()));
  return places;
}

void check_kernels(std::string_view bytes) {
  const char delimiter = ",;\t|"[for_fuzz::choose(bytes, 4)];
  const std::size_t batch_bytes = 1 + for_fuzz::choose(bytes);
  const auto expected =
      scan(bytes, delimiter, CsvScanner::kBatchBytes, SimdKernel::kScalar);
  for (const SimdKernel kernel : available_kernels()) {
    CHECK(scan(bytes, delimiter, CsvScanner::kBatchBytes, kernel) == expected);
    CHECK(scan(bytes, delimiter, batch_bytes, kernel) == expected);
  }
}

}  // namespace
}  // namespace tallyman

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for_fuzz::check_upload(ContentType::kCsv, bytes);
  check_kernels(bytes);
  return 0;
}
