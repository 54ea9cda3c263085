// Any bytes as a gzip body, as a form and as chunks. Wherever they are cut, the bytes
// that come out and the code of the error are the same, and limits hold.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "http/bodies.h"
#include "http/chunk_decoder.h"
#include "http/inflate.h"
#include "http/multipart.h"

namespace tallyman::http {
namespace {

constexpr std::size_t kExpandedMax = 1 << 20;

// The bytes, or the error's code as text.
std::string outcome(const Result<std::string>& text) {
  return text.ok() ? "bytes " + text.value()
                   : "error " + std::to_string(static_cast<int>(text.error().code));
}

std::string unpack(std::string_view bytes, std::size_t piece) {
  const auto body =
      inflate(body_of(std::string(bytes), piece), {.expanded_bytes_max = kExpandedMax,
                                                   .expansion_ratio_max = 100'000,
                                                   .expansion_ratio_free_bytes = 0});
  return outcome(read_all(*body, kExpandedMax));
}

std::string read_form(std::string_view bytes, std::size_t piece) {
  auto file = MultipartFile::open(
      body_of(std::string(bytes), piece), "multipart/form-data; boundary=X",
      {.part_header_bytes_max = 256, .field_bytes_max = 64, .fields_max = 3});
  if (!file.ok()) return outcome(file.error());
  return outcome(read_all(*file.value(), bytes.size() + 1));
}

std::string decode_chunks(std::string_view bytes, std::size_t piece) {
  ChunkDecoder decoder;
  std::string text;
  while (!bytes.empty() && !decoder.done()) {
    const auto step = decoder.next(bytes.substr(0, piece));
    if (!step.ok()) return outcome(step.error());
    text += step.value().data;
    bytes.remove_prefix(step.value().consumed);
  }
  return (decoder.done() ? "whole " : "part ") + text;
}

}  // namespace
}  // namespace tallyman::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto read : {unpack, read_form, decode_chunks}) {
    const std::string whole = read(bytes, std::max<std::size_t>(size, 1));
    CHECK(read(bytes, 1) == whole);
    CHECK(read(bytes, 5) == whole);
  }
  return 0;
}
