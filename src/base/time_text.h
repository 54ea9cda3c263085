// Times as text: RFC 3339 in UTC with `Z`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tallyman {

// "2024-01-15T10:30:00.250000Z"; the fraction is left out when it is zero.
std::string to_rfc3339(Timestamp time);

// Reads RFC 3339 with any offset. Nothing if `text` is not a time.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

// True where year, month and day name a day of the proleptic Gregorian calendar.
bool is_calendar_day(int year, int month, int day);

}  // namespace tallyman
