// The secret of a token: "tly_" and the base64url of 32 random bytes. Only its BLAKE2b
// hash (libsodium) is kept.
//
// Threads: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"

namespace tallyman {

using TokenHash = std::array<std::uint8_t, 32>;

std::string new_token_secret(Random& random);
// False: no token has it, whatever is stored.
bool is_token_secret(std::string_view secret);
TokenHash hash_of_secret(std::string_view secret);
// In constant time.
bool is_same_hash(const TokenHash& hash, std::span<const std::uint8_t> stored);

}  // namespace tallyman
