// Sizes and times as people write them, and as they are shown to people.
//
//   parse_size("24MiB")      -> 25165824        "10GB" is 10,000,000,000 bytes
//   parse_duration("250ms")  -> 250 ms          also s, m, h, d
//   show_bytes(25165824)     -> "24.0 MiB"
//   show_count(1234567)      -> "1,234,567"
//
// Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

// A whole number, and B, KB, MB, GB, TB (1,000) or KiB, MiB, GiB, TiB (1,024) behind it;
// no unit: bytes. Nothing for other text and for what does not fit.
std::optional<std::uint64_t> parse_size(std::string_view text);

// A whole number and its unit: ms, s, m, h or d. Nothing for other text, for a number
// without a unit and for more than 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

std::string show_bytes(std::uint64_t bytes);
std::string show_count(std::uint64_t count);
// "4 s", "3 min 20 s", "2 h 5 min".
std::string show_duration(std::chrono::seconds time);

}  // namespace tallyman
