// The options of a job, as a query or a JSON body carries them, to JobOptions.
//
//   TALLY_TRY_ASSIGN(const auto sent, options_of_query(request.query));
//   TALLY_TRY_ASSIGN(const JobOptions options, read_options(sent, ContentType::kCsv));
//
// Here each option is judged by itself; what only the resource can judge (do the fields
// exist, are they a key) is the service's.
//
// Threads: any.
// Errors:  kInvalidArgument  an unknown option (names the nearest), one sent twice, or
//                            a value that cannot be read (names what can)
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/job.h"

namespace tallyman::rest {

struct SentOption {
  std::string name;
  std::string text;  // A number's digits, "true", text, or JSON of an object.
  // A JSON array of texts: names as they are. Otherwise `text` is split at its commas.
  std::optional<std::vector<std::string>> names = std::nullopt;
};

std::vector<SentOption> options_of_query(
    std::span<const std::pair<std::string, std::string>> query);

Result<JobOptions> read_options(std::span<const SentOption> sent, ContentType type);

// kInvalidArgument unless each is an option or one of `others`, and none is there twice.
Result<void> require_known_options(std::span<const SentOption> sent,
                                   std::span<const std::string> others);

// kInvalidArgument unless every parameter of the query is one of `known`, at most once.
Result<void> require_known_parameters(
    std::span<const std::pair<std::string, std::string>> query,
    std::span<const std::string> known);

// "; did you mean 'x'?", or, where nothing is near, "; known: a, b".
std::string suggestion(std::string_view name, std::span<const std::string> known);

// A whole number from 0, in decimal digits only.
std::optional<std::uint64_t> parse_whole_number(std::string_view text);

}  // namespace tallyman::rest
