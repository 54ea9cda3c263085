// Any bytes as a form. Invariants:
//   - wherever the body is cut, the file, the fields and the error are the same;
//   - the fields are no more and no longer than their limits;
//   - the file is a part of the body: nothing is made up.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/bodies.h"
#include "http/multipart.h"

namespace tallyman::http {
namespace {

constexpr MultipartLimits kLimits{
    .part_header_bytes_max = 256, .field_bytes_max = 64, .fields_max = 3};

std::string outcome(const Error& error) {
  return "error " + std::to_string(static_cast<int>(error.code)) + " " + error.message;
}

std::string read_form(std::string_view bytes, std::size_t piece) {
  const auto file = MultipartFile::open(body_of(std::string(bytes), piece),
                                        "multipart/form-data; boundary=X", kLimits);
  if (!file.ok()) return outcome(file.error());

  std::string text = file.value()->content_type() + "\n" + file.value()->file_name();
  CHECK(file.value()->fields().size() <= kLimits.fields_max);
  for (const auto& [name, value] : file.value()->fields()) {
    CHECK(value.size() <= kLimits.field_bytes_max);
    text += "\n" + name + "=" + value;
  }
  const auto content = read_all(*file.value(), bytes.size());
  if (!content.ok()) return text + "\n" + outcome(content.error());
  CHECK(bytes.find(content.value()) != std::string_view::npos);
  return text + "\n" + content.value();
}

}  // namespace
}  // namespace tallyman::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = read_form(bytes, std::max<std::size_t>(size, 1));
  for (const std::size_t piece : {1, 2, 5}) CHECK(read_form(bytes, piece) == whole);
  return 0;
}
