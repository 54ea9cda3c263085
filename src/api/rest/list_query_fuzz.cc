// Any query of a list of jobs, and of results. The first eight bytes are the number of
// the last job of a page. Invariants:
//   - the link to the next page asks for the same list, after that job;
//   - a page has from one job to list_page_max;
//   - a format has a name and a media type that name it; an Accept header without any
//     media range asks for none.
#include "api/rest/list_query.h"

#include <cstdint>
#include <cstring>

#include "api/rest/result_query.h"
#include "base/check.h"
#include "http/request_target.h"
#include "model/limits.h"

namespace tallyman::rest {
namespace {

std::optional<http::RequestTarget> decode(const std::string& target) {
  const auto read = http::parse_request_target(target);
  if (const auto* good = std::get_if<http::RequestTarget>(&read)) return *good;
  return std::nullopt;
}

bool same_list(const JobFilter& one, const JobFilter& other) {
  return one.state == other.state && one.operation == other.operation &&
         one.created_after == other.created_after &&
         one.created_before == other.created_before && one.limit == other.limit;
}

void check_list(const http::RequestTarget& target, JobNumber last) {
  const auto filter = parse_list_query(target.query);
  if (!filter.ok()) return;
  CHECK(filter.value().limit > 0 && filter.value().limit <= limits::kListPageMax);
  CHECK(!filter.value().before || filter.value().before->value() >= 0);

  const auto next = decode(next_url("/api/jobs/", target.query, last));
  CHECK(next && next->path == "/api/jobs/");
  const auto next_filter = parse_list_query(next->query);
  CHECK(next_filter.ok() && same_list(filter.value(), next_filter.value()));
  CHECK(next_filter.value().before == last);
}

void check_results(http::RequestTarget target, std::string_view accept) {
  http::Request request;
  request.query = std::move(target.query);
  request.headers.add("Accept", accept);
  if (const auto format = requested_format(request)) {
    CHECK(result_format_from_name(name(*format)) == format);
    CHECK(result_format_from_name(media_type(*format)) == format);
    const auto query = parse_result_query(request, *format);
    CHECK(!query.ok() || query.value().format == *format);
    CHECK(!query.ok() || !query.value().outcomes || !query.value().outcomes->empty());
  }
  if (preferred_format(accept)) {
    CHECK(accept.find('/') != std::string_view::npos);
  }
}

}  // namespace
}  // namespace tallyman::rest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman;
  std::uint64_t number = 0;
  if (size < sizeof number) return 0;
  std::memcpy(&number, data, sizeof number);
  const std::string_view text(reinterpret_cast<const char*>(data) + sizeof number,
                              size - sizeof number);
  const auto target = rest::decode("/?" + std::string(text.substr(0, text.find('\n'))));
  if (!target) return 0;
  rest::check_list(*target, JobNumber(static_cast<std::int64_t>(number >> 1)));
  const std::size_t line_end = text.find('\n');
  rest::check_results(*target, line_end == std::string_view::npos
                                   ? std::string_view()
                                   : text.substr(line_end + 1));
  return 0;
}
