// Base64 (RFC 4648, section 4), by libsodium.
#pragma once

#include <string>
#include <string_view>

namespace tallyman {

// Appends `bytes` as base64 with padding.
void append_base64(std::string& out, std::string_view bytes);

}  // namespace tallyman
