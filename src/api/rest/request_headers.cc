#include "api/rest/request_headers.h"

#include <algorithm>

#include "api/rest/options.h"
#include "model/limits.h"

namespace tallyman::rest {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

std::optional<std::chrono::seconds> preferred_wait(std::string_view prefer) {
  while (!prefer.empty()) {
    const std::size_t comma = std::min(prefer.find(','), prefer.size());
    const std::string_view preference = prefer.substr(0, comma);
    prefer.remove_prefix(std::min(comma + 1, prefer.size()));
    const std::size_t equals = preference.find('=');
    if (equals == std::string_view::npos ||
        trimmed(preference.substr(0, equals)) != "wait") {
      continue;
    }
    if (const auto seconds = parse_whole_number(trimmed(preference.substr(equals + 1)))) {
      const auto most = static_cast<std::uint64_t>(limits::kPreferWaitMax.count());
      return std::chrono::seconds(std::min(*seconds, most));
    }
  }
  return std::nullopt;
}

Result<std::string> idempotency_key_of(const http::Headers& headers) {
  const auto key = headers.find("Idempotency-Key");
  if (!key) return std::string();
  const bool is_printable = std::all_of(
      key->begin(), key->end(), [](char byte) { return byte >= ' ' && byte <= '~'; });
  if (!key->empty() && key->size() <= kIdempotencyKeyBytesMax && is_printable) {
    return std::string(*key);
  }
  return Error{ErrorCode::kInvalidArgument,
               "the header Idempotency-Key has 1 to " +
                   std::to_string(kIdempotencyKeyBytesMax) +
                   " printable ASCII characters; use a UUID",
               "INVALID_OPTION"};
}

}  // namespace tallyman::rest
