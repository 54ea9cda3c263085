// What the REST face reads from the headers of a request.
//
//   preferred_wait("respond-async, wait=10")  ->  10 s
//
// Threads: any.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace tallyman::rest {

// The wait of a Prefer header (RFC 7240), at most limits::kPreferWaitMax. A preference
// that cannot be read is passed over, as the RFC asks.
std::optional<std::chrono::seconds> preferred_wait(std::string_view prefer);

// Longer keys are no keys: a UUID has 36 bytes.
inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;

// Empty where the header is not there. kInvalidArgument for a key that is empty, too
// long, or not printable ASCII.
Result<std::string> idempotency_key_of(const http::Headers& headers);

}  // namespace tallyman::rest
