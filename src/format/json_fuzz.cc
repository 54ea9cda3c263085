// Random JSON: the invariants of upload_for_fuzz.h, and every kernel finds the same.
#include "format/json_scanner.h"
#include "format/upload_for_fuzz.h"

namespace tallyman {
namespace {

std::vector<std::size_t> scan(std::string_view bytes, SimdKernel kernel) {
  JsonScanner scanner(kernel);
  std::vector<std::uint32_t> commas(JsonScanner::kBatchBytes);
  const auto found =
      scanner.scan(bytes.substr(0, JsonScanner::kBatchBytes), commas.data());
  std::vector<std::size_t> all(
      commas.begin(), commas.begin() + static_cast<std::ptrdiff_t>(found.commas));
  all.push_back(found.consumed);
  all.push_back(found.closed ? 1 : 0);
  return all;
}

}  // namespace
}  // namespace tallyman

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for_fuzz::check_upload(ContentType::kJson, bytes);
  for (const SimdKernel kernel : available_kernels()) {
    CHECK(scan(bytes, kernel) == scan(bytes, SimdKernel::kScalar));
  }
  return 0;
}
