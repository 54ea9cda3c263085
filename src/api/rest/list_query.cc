#include "api/rest/list_query.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "api/rest/links.h"
#include "api/rest/options.h"
#include "base/time_text.h"
#include "model/limits.h"

namespace tallyman::rest {
namespace {

const std::array<std::string, 6> kParameters = {
    "state", "operation", "created_after", "created_before", "limit", "cursor"};

// Marks a cursor as one of ours; 16 hex digits follow.
constexpr char kCursorMark = 'j';
constexpr std::size_t kCursorLength = 17;

Error invalid(std::string_view name, std::string_view wanted) {
  return {ErrorCode::kInvalidArgument,
          "parameter '" + std::string(name) + "': " + std::string(wanted),
          "INVALID_OPTION"};
}

std::string cursor_of(JobNumber number) {
  return fmt::format("{}{:016x}", kCursorMark, number.value());
}

std::optional<JobNumber> parse_cursor(std::string_view text) {
  if (text.size() != kCursorLength || text.front() != kCursorMark) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, problem] =
      std::from_chars(text.data() + 1, text.data() + text.size(), number, 16);
  if (problem != std::errc() || end != text.data() + text.size() || number < 0) {
    return std::nullopt;
  }
  return JobNumber(number);
}

Result<void> read_parameter(std::string_view name, std::string_view value,
                            JobFilter& into) {
  if (name == "state") {
    into.state = job_state_from_name(value);
    if (!into.state) {
      return invalid(
          name, "is Open, Upload Complete, In Progress, Job Complete, Failed or Aborted");
    }
  } else if (name == "operation") {
    into.operation = operation_from_name(value);
    if (!into.operation)
      return invalid(name, "is insert, upsert, update, replace or delete");
  } else if (name == "created_after" || name == "created_before") {
    auto& bound = name == "created_after" ? into.created_after : into.created_before;
    bound = parse_rfc3339(value);
    if (!bound) return invalid(name, "is a time as in 2024-01-15T10:30:00Z (RFC 3339)");
  } else if (name == "limit") {
    const auto limit = parse_whole_number(value);
    if (!limit || *limit == 0 || *limit > limits::kListPageMax) {
      return invalid(name,
                     fmt::format("is a whole number from 1 to {}; follow 'next' for more",
                                 limits::kListPageMax));
    }
    into.limit = *limit;
  } else {
    into.before = parse_cursor(value);
    if (!into.before) {
      return invalid(name, "is taken from 'next' of an earlier page; start without one");
    }
  }
  return {};
}

}  // namespace

Result<JobFilter> parse_list_query(QueryParameters query) {
  TALLY_TRY(require_known_parameters(query, kParameters));
  JobFilter filter;
  filter.limit = limits::kListPage;
  for (const auto& [name, value] : query) TALLY_TRY(read_parameter(name, value, filter));
  return filter;
}

std::string next_url(std::string_view path, QueryParameters query, JobNumber last) {
  std::string url(path);
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (name == "cursor") continue;
    url += separator + name + "=" + percent_encode(value);
    separator = '&';
  }
  return url + separator + "cursor=" + cursor_of(last);
}

}  // namespace tallyman::rest
