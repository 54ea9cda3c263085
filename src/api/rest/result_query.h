// Which results are asked for, and in which form.
//
//   ?outcome=failed&format=csv&safe=spreadsheet     Accept: application/json
//
// Threads: any.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "service/results.h"

namespace tallyman::rest {

std::string_view media_type(ResultFormat format);  // "text/csv"
std::string_view name(ResultFormat format);        // "csv", as in ?format= and file names

// "csv", "ndjson", "json", or a media type.
std::optional<ResultFormat> result_format_from_name(std::string_view text);

// The form that an Accept header (RFC 9110, section 12.5.1) likes best; CSV where it does
// not mind. Nothing where it takes none of them.
std::optional<ResultFormat> preferred_format(std::string_view accept);

// By `format` or, without it, by Accept. Nothing: 406.
std::optional<ResultFormat> requested_format(const http::Request& request);

// kInvalidArgument for parameters that cannot be read.
Result<ResultQuery> parse_result_query(const http::Request& request, ResultFormat format);

}  // namespace tallyman::rest
