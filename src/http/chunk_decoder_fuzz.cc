// Any bytes as a chunked body. Invariants:
//   - wherever they are cut, the same bytes come out, the same are left, and the same
//     error ends it;
//   - what came out, written again in chunks, decodes to the same.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/chunk_decoder.h"

namespace tallyman::http {
namespace {

struct Decoded {
  std::string text;
  std::string error;
  bool done = false;
  std::size_t left = 0;  // Bytes behind the end.
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view bytes, std::size_t piece) {
  ChunkDecoder decoder;
  Decoded decoded;
  while (!bytes.empty() && !decoder.done()) {
    const auto step = decoder.next(bytes.substr(0, piece));
    if (!step.ok()) {
      decoded.error = step.error().message;
      return decoded;
    }
    CHECK(step.value().consumed > 0);
    CHECK(step.value().data.size() <= step.value().consumed);
    decoded.text += step.value().data;
    bytes.remove_prefix(step.value().consumed);
  }
  decoded.done = decoder.done();
  decoded.left = bytes.size();
  return decoded;
}

std::string in_chunks(std::string_view text) {
  constexpr std::size_t kChunkBytes = 300;  // Two digits and three.
  std::string bytes;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, kChunkBytes);
    bytes += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
    text.remove_prefix(part.size());
  }
  return bytes + "0\r\n\r\n";
}

}  // namespace
}  // namespace tallyman::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Decoded whole = decode(bytes, std::max<std::size_t>(size, 1));
  for (const std::size_t piece : {1, 2, 7}) CHECK(decode(bytes, piece) == whole);

  const Decoded again = decode(in_chunks(whole.text), 11);
  CHECK(again.done && again.text == whole.text && again.left == 0);
  return 0;
}
