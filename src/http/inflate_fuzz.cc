// Any bytes as a gzip body, and any bytes packed as one. The first three choose the
// limits and a cut. Invariants:
//   - wherever the body is cut and whatever the buffer, the same comes out, or the same
//     error (of a damaged body more or less may have come out before it);
//   - zlib, called in one piece a member, takes the same bodies and gives the same;
//   - neither limit is passed, not by the bytes before an error either;
//   - packed in one member, or in two, the bytes come back.
#include "http/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "http/bodies.h"

namespace tallyman::http {
namespace {

constexpr int kGzipWindowBits = 16 + MAX_WBITS;
constexpr std::size_t kReferenceBytesMax = 1 << 20;

struct Unpacked {
  std::string text;
  std::optional<ErrorCode> error;
};

bool same(const Unpacked& one, const Unpacked& other) {
  if (one.error != other.error) return false;
  return one.error ? one.text.starts_with(other.text) || other.text.starts_with(one.text)
                   : one.text == other.text;
}

Unpacked unpack(std::string_view packed, const InflateLimits& limits, std::size_t piece,
                std::size_t buffer_bytes) {
  const auto body = inflate(body_of(std::string(packed), piece), limits);
  Unpacked unpacked;
  std::vector<char> buffer(buffer_bytes);
  while (true) {
    const auto count = body->read(buffer);
    if (!count.ok()) {
      unpacked.error = count.error().code;
      CHECK(!body->read(buffer).ok());
      return unpacked;
    }
    if (count.value() == 0) return unpacked;
    unpacked.text.append(buffer.data(), count.value());
    CHECK(unpacked.text.size() <= limits.expanded_bytes_max);
    CHECK(unpacked.text.size() <= limits.expansion_ratio_free_bytes ||
          unpacked.text.size() / limits.expansion_ratio_max <= packed.size());
  }
}

// Nothing for what is not gzip from its first byte to its last.
std::optional<std::string> reference(std::string_view packed) {
  std::string text;
  std::vector<char> buffer(kReferenceBytesMax);
  if (packed.empty()) return std::nullopt;
  while (!packed.empty()) {
    z_stream state{};
    CHECK(inflateInit2(&state, kGzipWindowBits) == Z_OK);
    state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    state.avail_in = static_cast<uInt>(packed.size());
    state.next_out = reinterpret_cast<Bytef*>(buffer.data());
    state.avail_out = static_cast<uInt>(buffer.size());
    const int answer = ::inflate(&state, Z_FINISH);
    text.append(buffer.data(), buffer.size() - state.avail_out);
    packed.remove_prefix(packed.size() - state.avail_in);
    inflateEnd(&state);
    if (answer != Z_STREAM_END) return std::nullopt;
  }
  return text;
}

std::string pack(std::string_view text) {
  z_stream state{};
  CHECK(deflateInit2(&state, 1, Z_DEFLATED, kGzipWindowBits, 8, Z_DEFAULT_STRATEGY) ==
        Z_OK);
  std::string packed(deflateBound(&state, text.size()) + 32, '\0');
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  state.avail_in = static_cast<uInt>(text.size());
  state.next_out = reinterpret_cast<Bytef*>(packed.data());
  state.avail_out = static_cast<uInt>(packed.size());
  CHECK(deflate(&state, Z_FINISH) == Z_STREAM_END);
  packed.resize(state.total_out);
  deflateEnd(&state);
  return packed;
}

void check_unpacking(std::string_view packed, const InflateLimits& tight,
                     std::size_t piece) {
  const InflateLimits wide{.expanded_bytes_max = kReferenceBytesMax,
                           .expansion_ratio_max = 1'000'000,
                           .expansion_ratio_free_bytes = 0};
  const Unpacked whole = unpack(packed, wide, std::string::npos, 4096);
  CHECK(same(unpack(packed, wide, piece, 4096), whole));
  CHECK(same(unpack(packed, wide, 1, 61), whole));
  if (whole.error != ErrorCode::kTooLarge) {
    const auto expected = reference(packed);
    CHECK(expected.has_value() == !whole.error.has_value());
    CHECK(!expected || *expected == whole.text);
  }

  const Unpacked bounded = unpack(packed, tight, piece, 16);
  CHECK(bounded.error || same(bounded, whole));
}

void check_packing(std::string_view text, std::size_t cut, std::size_t piece) {
  const InflateLimits exact{.expanded_bytes_max = text.size(),
                            .expansion_ratio_max = 1'032};
  const Unpacked expected{.text = std::string(text), .error = std::nullopt};
  CHECK(same(unpack(pack(text), exact, piece, 4096), expected));
  cut = std::min(cut, text.size());
  const std::string members = pack(text.substr(0, cut)) + pack(text.substr(cut));
  CHECK(same(unpack(members, exact, piece, 7), expected));
}

}  // namespace
}  // namespace tallyman::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman::http;
  if (size < 3) return 0;
  const InflateLimits tight{.expanded_bytes_max = data[0] * std::uint64_t{4},
                            .expansion_ratio_max = 1 + data[1] / 8u,
                            .expansion_ratio_free_bytes = data[1] % 8u};
  const std::size_t piece = 1 + data[2];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  check_unpacking(bytes, tight, piece);
  check_packing(bytes, piece, piece);
  return 0;
}
