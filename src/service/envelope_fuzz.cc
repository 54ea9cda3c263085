// Any members of an envelope, as they stand around "data" in an upload. Invariants:
//   - before or behind "data", they are the same envelope;
//   - what the splitter takes for an envelope, the service can read as JSON;
//   - what the service takes asks for fields, each with a name that was sent.
#include "service/envelope.h"

#include <cstdint>
#include <string>

#include "base/check.h"
#include "format/splitter.h"

namespace tallyman {
namespace {

struct Upload {
  std::vector<std::uint64_t> records;  // How many each piece has.
  std::optional<std::string> envelope;
};

// Nothing where it cannot be read.
std::optional<Upload> split(std::string_view bytes) {
  const auto splitter = make_splitter({.type = ContentType::kJson}, {});
  if (!splitter->push(bytes).ok() || !splitter->finish().ok()) return std::nullopt;
  Upload upload{.envelope = splitter->envelope()};
  for (const Piece& piece : splitter->take_pieces()) {
    upload.records.push_back(piece.record_count);
  }
  return upload;
}

void check_envelope(const std::string& envelope) {
  JobRequest request;
  const auto applied = apply_envelope(envelope, request);
  if (!applied.ok()) {
    CHECK(applied.error().code == ErrorCode::kInvalidArgument);
    return;
  }
  CHECK(request.options.unique_fields.empty() ||
        envelope.find("unique_fields") != std::string::npos ||
        envelope.find('\\') != std::string::npos);
}

}  // namespace
}  // namespace tallyman

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman;
  const std::string members(reinterpret_cast<const char*>(data), size);
  const auto before = split("{" + members + ", \"data\": [1, 2]}");
  const auto behind = split("{\"data\": [1, 2], " + members + "}");
  if (before && before->envelope) check_envelope(*before->envelope);
  if (behind && behind->envelope) check_envelope(*behind->envelope);
  if (before && before->envelope && behind && behind->envelope) {
    CHECK(before->envelope == behind->envelope);
    CHECK(before->records == behind->records);
  }
  return 0;
}
