// Small bodies in memory: one made from a string, and one read into a string.
//
//   request.body = body_of(R"({"operation": "insert"})");
//   TALLY_TRY_ASSIGN(const std::string text, read_all(*request.body, 64 * 1024));
//
// Threads: none of their own.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "http/message.h"

namespace tallyman::http {

// `piece_bytes_max`: the most that one read gives, as a network would cut it.
std::unique_ptr<BodyStream> body_of(std::string bytes,
                                    std::size_t piece_bytes_max = std::string::npos);

// The whole body. kTooLarge, naming the limit, where it is longer.
Result<std::string> read_all(BodyStream& body, std::size_t bytes_max);

}  // namespace tallyman::http
