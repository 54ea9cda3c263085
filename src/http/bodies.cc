#include "http/bodies.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"

namespace tallyman::http {
namespace {

class MemoryBody final : public BodyStream {
 public:
  MemoryBody(std::string bytes, std::size_t piece_bytes_max)
      : bytes_(std::move(bytes)), piece_bytes_max_(piece_bytes_max) {
    CHECK(piece_bytes_max > 0);
  }

  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t count =
        std::min({into.size(), piece_bytes_max_, bytes_.size() - given_});
    std::copy_n(bytes_.data() + given_, count, into.data());
    given_ += count;
    return count;
  }

 private:
  const std::string bytes_;
  const std::size_t piece_bytes_max_;
  std::size_t given_ = 0;
};

}  // namespace

std::unique_ptr<BodyStream> body_of(std::string bytes, std::size_t piece_bytes_max) {
  return std::make_unique<MemoryBody>(std::move(bytes), piece_bytes_max);
}

Result<std::string> read_all(BodyStream& body, std::size_t bytes_max) {
  std::string text;
  std::array<char, 16 * 1024> bytes;
  while (true) {
    TALLY_TRY_ASSIGN(const std::size_t count, body.read(bytes));
    if (count == 0) return text;
    if (text.size() + count > bytes_max) {
      return Error{ErrorCode::kTooLarge, "the request body is longer than " +
                                             std::to_string(bytes_max) + " bytes"};
    }
    text.append(bytes.data(), count);
  }
}

}  // namespace tallyman::http
