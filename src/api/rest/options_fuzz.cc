// The options of a job, from any query ('?' first) or any JSON body. Invariants:
//   - options that are taken are kept: written as the job stores them and read again they
//     are equal, and are written the same;
//   - the error budget is never more than the records there are;
//   - the order in which options are sent does not matter;
//   - a query that is decoded, encoded and decoded again is the same.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "api/rest/json_request.h"
#include "api/rest/links.h"
#include "api/rest/options.h"
#include "base/check.h"
#include "http/request_target.h"

namespace tallyman::rest {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

std::optional<Query> decode(std::string_view query) {
  const auto target = http::parse_request_target("/?" + std::string(query));
  if (const auto* read = std::get_if<http::RequestTarget>(&target)) return read->query;
  return std::nullopt;
}

std::string encode(const Query& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    if (!text.empty()) text += '&';
    text += percent_encode(name) + "=" + percent_encode(value);
  }
  return text;
}

void check_kept(const JobOptions& options) {
  const std::string written = to_json(options);
  const auto again = job_options_from_json(written);
  CHECK(again.ok() && again.value() == options && to_json(again.value()) == written);
  for (const std::uint64_t total :
       {std::uint64_t{0}, std::uint64_t{7}, std::numeric_limits<std::uint64_t>::max()}) {
    const auto budget = error_budget(options, total);
    CHECK(!budget || !options.max_error_ratio || *budget <= total);
  }
}

void check_options(std::vector<SentOption> sent) {
  for (const ContentType type :
       {ContentType::kCsv, ContentType::kNdjson, ContentType::kJson}) {
    const auto options = read_options(sent, type);
    std::reverse(sent.begin(), sent.end());
    const auto reversed = read_options(sent, type);
    CHECK(options.ok() == reversed.ok());
    if (!options.ok()) continue;
    CHECK(reversed.value() == options.value());
    check_kept(options.value());
  }
}

void check_query(std::string_view text) {
  const auto query = decode(text);
  if (!query) return;
  CHECK(decode(encode(*query)) == query || query->empty());
  check_options(options_of_query(*query));
}

}  // namespace
}  // namespace tallyman::rest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tallyman::rest;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with('?')) {
    check_query(text.substr(1));
  } else if (auto members = members_of_json(text); members.ok()) {
    check_options(std::move(members).value());
  }
  return 0;
}
