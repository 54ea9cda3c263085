// Random JSON: the invariants of upload_for_fuzz.h, and every kernel finds the same.
#include "format/json_scanner.h"
#include "format/upload_for_fuzz.h"

namespace tallyman {
namespace {

// The places of all commas and closing brackets.
std::vector<std::size_t> scan(std::string_view bytes, std::size_t batch_bytes,
                              SimdKernel kernel) {
  JsonScanner scanner(kernel);
  std::vector<std::uint32_t> commas(JsonScanner::kBatchBytes);
  std::vector<std::size_t> places;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const auto found = scanner.scan(bytes.substr(begin, batch_bytes), commas.data());
    for (std::size_t i = 0; i < found.commas; ++i) places.push_back(begin + commas[i]);
    CHECK(found.consumed > 0);
    begin += found.consumed;
    if (found.closed) places.push_back(begin - 1);
  }
  return places;
}

void check_kernels(std::string_view bytes) {
  const std::size_t batch_bytes = 1 + for_fuzz::choose(bytes);
  const auto expected = scan(bytes, JsonScanner::kBatchBytes, SimdKernel::kScalar);
  for (const SimdKernel kernel : available_kernels()) {
    CHECK(scan(bytes, JsonScanner::kBatchBytes, kernel) == expected);
    CHECK(scan(bytes, batch_bytes, kernel) == expected);
  }
}

}  // namespace
}  // namespace tallyman

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for_fuzz::check_upload(ContentType::kJson, bytes);
  check_kernels(bytes);
  return 0;
}
