// The grammar of JSON numbers (RFC 8259, section 6), for numbers that stay text.
#pragma once

#include <string_view>

namespace tallyman {

// "-12.50", "1e3"; not "+1", "01", ".5" or "NaN".
bool is_json_number(std::string_view text);

// A JSON number without an exponent: "-12.50".
bool is_plain_decimal(std::string_view text);

}  // namespace tallyman
