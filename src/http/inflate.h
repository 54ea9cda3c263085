// Takes gzip (RFC 1952) off a body while it streams.
//
//   auto body = inflate(std::move(request.body), {.expanded_bytes_max =
//   upload_bytes_max}); body->read(buffer);   // the bytes before compression
//
// Several members one after the other are one body. What comes out is limited, because a
// kilobyte of gzip can stand for a megabyte.
//
// Ownership: owns the source. Threads: one. Memory: 100 KiB.
// Errors: kTooLarge naming the limit; kUnreadable where the bytes are not gzip, are
// damaged or end early; the source's own. After one every read gives it again.
#pragma once

#include <cstdint>
#include <memory>

#include "http/message.h"

namespace tallyman::http {

struct InflateLimits {
  // The most that comes out in all (the server's upload_bytes_max). Little more than that
  // may come in.
  std::uint64_t expanded_bytes_max = std::uint64_t{10} << 30;
  // The most that comes out for each byte that went in. CSV compresses 3 to 50 times;
  // columns that repeat, some hundred times; deflate itself ends at 1,032.
  std::uint64_t expansion_ratio_max = 200;
  // The ratio is not judged before: a small body of one repeated line is no bomb.
  std::uint64_t expansion_ratio_free_bytes = std::uint64_t{16} << 20;
};

std::unique_ptr<BodyStream> inflate(std::unique_ptr<BodyStream> source,
                                    InflateLimits limits);

}  // namespace tallyman::http
