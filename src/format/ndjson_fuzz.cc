// Random NDJSON: the invariants of upload_for_fuzz.h.
#include "format/upload_for_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman;
  for_fuzz::check_upload(ContentType::kNdjson,
                         {reinterpret_cast<const char*>(data), size});
  return 0;
}
