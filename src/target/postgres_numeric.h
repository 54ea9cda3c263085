// PostgreSQL's numeric in the wire form: digits to the base 10,000.
//
// Source: numeric_recv() and numeric_send() (numeric.c): int16 count of digits, int16
// weight of the first (a power of 10,000), uint16 sign, uint16 digits after the point,
// then the digits.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "target/field_text.h"

namespace tallyman {

// What a numeric without a declared precision holds.
inline constexpr int kNumericWholeDigitsMax = 131'072;
inline constexpr int kNumericScaleMax = 16'383;

// [+-] digits [. digits] [e [+-] digits], exact; appends. kOutOfRange where it has more
// digits than the type takes (zeros that say nothing do not count); then, and where it is
// no number, nothing is appended. The wire form has `scale` digits after the point where
// one is declared, else as many as were written.
TextFault encode_numeric(std::string_view text, std::optional<int> precision,
                         std::optional<int> scale, std::string& into);

// Without an exponent and without zeros at the end of its fraction; "NaN", "Infinity" and
// "-Infinity" as PostgreSQL writes them.
void append_numeric_text(std::string_view wire, std::string& into);

}  // namespace tallyman
