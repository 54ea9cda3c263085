#include "api/rest/result_query.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "api/rest/options.h"
#include "base/check.h"

namespace tallyman::rest {
namespace {

const std::array<std::string, 3> kParameters = {"outcome", "format", "safe"};

// In order of preference where a client likes several equally.
constexpr auto kFormats = std::to_array<ResultFormat>(
    {ResultFormat::kCsv, ResultFormat::kNdjson, ResultFormat::kJson});

Error invalid(std::string_view name, std::string_view wanted) {
  return {ErrorCode::kInvalidArgument,
          "parameter '" + std::string(name) + "': " + std::string(wanted),
          "INVALID_OPTION"};
}

std::string lower_without_spaces(std::string_view text) {
  std::string lowered;
  for (const char byte : text) {
    if (byte == ' ' || byte == '\t') continue;
    lowered += static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
  }
  return lowered;
}

// One range of an Accept header.
struct MediaRange {
  std::string type;        // "text/*"
  int thousandths = 1000;  // Its quality.
};

// "0.5" and its like (RFC 9110, section 12.4.2); what cannot be read is 1.
int thousandths_of(std::string_view quality) {
  if (quality == "0") return 0;
  if (!quality.starts_with("0.")) return 1000;
  int value = 0;
  for (int place = 100, i = 2; place > 0; place /= 10, ++i) {
    if (static_cast<std::size_t>(i) >= quality.size()) break;
    if (quality[i] < '0' || quality[i] > '9') return 1000;
    value += (quality[i] - '0') * place;
  }
  return value;
}

MediaRange read_range(std::string_view text) {
  MediaRange range{.type = std::string(text.substr(0, text.find(';')))};
  if (const auto quality = text.find(";q="); quality != std::string_view::npos) {
    const std::string_view rest = text.substr(quality + 3);
    range.thousandths = thousandths_of(rest.substr(0, rest.find(';')));
  }
  return range;
}

// How exactly the range names the type: 0 not at all, 1 "*/*", 2 "text/*", 3 itself.
int precision(std::string_view range, std::string_view type) {
  if (range == type) return 3;
  if (range == "*/*") return 1;
  const std::string_view group = type.substr(0, type.find('/') + 1);
  return range == std::string(group) + "*" ? 2 : 0;
}

}  // namespace

std::string_view media_type(ResultFormat format) {
  switch (format) {
    case ResultFormat::kCsv: return "text/csv";
    case ResultFormat::kNdjson: return "application/x-ndjson";
    case ResultFormat::kJson: return "application/json";
  }
  CHECK(false);
}

std::string_view name(ResultFormat format) {
  switch (format) {
    case ResultFormat::kCsv: return "csv";
    case ResultFormat::kNdjson: return "ndjson";
    case ResultFormat::kJson: return "json";
  }
  CHECK(false);
}

std::optional<ResultFormat> result_format_from_name(std::string_view text) {
  for (const ResultFormat format : kFormats) {
    if (text == name(format) || text == media_type(format)) return format;
  }
  return std::nullopt;
}

std::optional<ResultFormat> preferred_format(std::string_view accept) {
  const std::string ranges = lower_without_spaces(accept);
  std::array<int, kFormats.size()> precisions{};
  std::array<int, kFormats.size()> qualities{};
  for (std::size_t begin = 0; begin < ranges.size();) {
    const std::size_t end = std::min(ranges.find(',', begin), ranges.size());
    const MediaRange range =
        read_range(std::string_view(ranges).substr(begin, end - begin));
    for (std::size_t i = 0; i < kFormats.size(); ++i) {
      const int exactness = precision(range.type, media_type(kFormats[i]));
      if (exactness > precisions[i]) {
        precisions[i] = exactness;
        qualities[i] = range.thousandths;
      }
    }
    begin = end + 1;
  }
  const auto best = std::max_element(qualities.begin(), qualities.end());
  if (*best == 0) return std::nullopt;
  return kFormats[static_cast<std::size_t>(best - qualities.begin())];
}

std::optional<ResultFormat> requested_format(const http::Request& request) {
  if (const auto format = request.parameter("format"))
    return result_format_from_name(*format);
  const auto accept = request.headers.find("Accept");
  return accept && !accept->empty() ? preferred_format(*accept) : ResultFormat::kCsv;
}

Result<ResultQuery> parse_result_query(const http::Request& request,
                                       ResultFormat format) {
  TALLY_TRY(require_known_parameters(request.query, kParameters));
  ResultQuery query{.outcomes = std::nullopt, .format = format};
  if (const auto outcome = request.parameter("outcome")) {
    query.outcomes = outcomes_from_filter(*outcome);
    if (!query.outcomes) {
      return invalid(
          "outcome",
          "is succeeded, failed, unprocessed, created, updated, unchanged or deleted");
    }
  }
  if (const auto safe = request.parameter("safe")) {
    if (*safe != "spreadsheet") return invalid("safe", "is spreadsheet");
    if (format != ResultFormat::kCsv) {
      return invalid("safe", "is for CSV; ask for format=csv, or leave it out");
    }
    query.spreadsheet_safe = true;
  }
  return query;
}

}  // namespace tallyman::rest
