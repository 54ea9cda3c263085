#include "api/rest/options.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/nearest_name.h"
#include "model/in_quotes.h"

namespace tallyman::rest {
namespace {

const std::vector<std::string>& option_names() {
  static const std::vector<std::string> names = {
      "aggregates",      "delimiter",     "dry_run",      "expect",
      "max_error_ratio", "max_errors",    "mode",         "null_value",
      "on_duplicate",    "unique_fields", "update_fields"};
  return names;
}

Error invalid(const SentOption& option, std::string_view wanted) {
  return {ErrorCode::kInvalidArgument,
          "option '" + option.name + "' " + std::string(wanted) +
              (option.names ? "" : "; " + in_quotes(option.text) + " was sent"),
          "INVALID_OPTION"};
}

// An empty text is an empty list: a name is never empty.
Result<std::vector<std::string>> read_names(const SentOption& option) {
  std::vector<std::string> names;
  if (option.names) {
    names = *option.names;
  } else {
    for (std::size_t begin = 0; begin <= option.text.size();) {
      const std::size_t end = std::min(option.text.find(',', begin), option.text.size());
      names.push_back(option.text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  if (names.empty() || std::find(names.begin(), names.end(), "") != names.end()) {
    return invalid(option, "takes field names, as in 'a,b'; none may be empty");
  }
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) {
    return invalid(option, "names a field twice; name each once");
  }
  return names;
}

Result<bool> read_boolean(const SentOption& option) {
  if (option.text == "true") return true;
  if (option.text == "false") return false;
  return invalid(option, "is true or false");
}

Result<char> read_delimiter(const SentOption& option) {
  const std::string_view text =
      option.text == "\\t" || option.text == "tab" ? "\t" : std::string_view(option.text);
  const bool is_one_sign =
      text.size() == 1 && (text[0] == '\t' || (text[0] >= ' ' && text[0] <= '~'));
  if (!is_one_sign || text[0] == '"') {
    return invalid(
        option,
        "is one ASCII character other than the quote and line ends, as in ';' or "
        "'tab'");
  }
  return text[0];
}

Result<std::string> read_null_value(const SentOption& option) {
  if (option.text.find_first_of("\"\r\n") == std::string::npos) return option.text;
  return invalid(option,
                 "is the text of an unquoted cell: it has no quote and no line end");
}

Result<void> read_option(const SentOption& option, JobOptions& into) {
  if (option.name == "unique_fields") {
    TALLY_TRY_ASSIGN(into.unique_fields, read_names(option));
  } else if (option.name == "update_fields") {
    TALLY_TRY_ASSIGN(into.update_fields, read_names(option));
  } else if (option.name == "on_duplicate") {
    const auto rule = on_duplicate_from_name(option.text);
    if (!rule) return invalid(option, "is sequence, first, last or error");
    into.on_duplicate = *rule;
  } else if (option.name == "mode") {
    if (option.text != "partial" && option.text != "atomic") {
      return invalid(option, "is partial or atomic");
    }
    into.atomic = option.text == "atomic";
  } else if (option.name == "dry_run") {
    TALLY_TRY_ASSIGN(into.dry_run, read_boolean(option));
  } else if (option.name == "max_errors") {
    into.max_errors = parse_whole_number(option.text);
    if (!into.max_errors) return invalid(option, "is a whole number from 0");
  } else if (option.name == "max_error_ratio") {
    if (!is_error_ratio(option.text))
      return invalid(option, "is a decimal from 0 to 1, as in 0.1");
    into.max_error_ratio = option.text;
  } else if (option.name == "aggregates") {
    into.aggregates = option.text;
  } else if (option.name == "expect") {
    into.expect = option.text;
  } else if (option.name == "delimiter") {
    TALLY_TRY_ASSIGN(into.format.delimiter, read_delimiter(option));
  } else {
    TALLY_TRY_ASSIGN(into.format.null_value, read_null_value(option));
  }
  return {};
}

Result<void> require_known(std::string_view kind, std::span<const std::string> names,
                           std::span<const std::string> known) {
  std::set<std::string_view> seen;
  for (const std::string& each : names) {
    if (std::find(known.begin(), known.end(), each) == known.end()) {
      return Error{ErrorCode::kInvalidArgument,
                   "there is no " + std::string(kind) + " '" + each + "' here" +
                       suggestion(each, known),
                   "UNKNOWN_OPTION"};
    }
    if (!seen.insert(each).second) {
      return Error{
          ErrorCode::kInvalidArgument,
          "the " + std::string(kind) + " '" + each + "' is sent twice; send it once",
          "INVALID_OPTION"};
    }
  }
  return {};
}

bool is_for_csv(std::string_view name) {
  return name == "delimiter" || name == "null_value";
}

}  // namespace

std::vector<SentOption> options_of_query(
    std::span<const std::pair<std::string, std::string>> query) {
  std::vector<SentOption> sent;
  for (const auto& [name, value] : query) sent.push_back({.name = name, .text = value});
  return sent;
}

Result<JobOptions> read_options(std::span<const SentOption> sent, ContentType type) {
  TALLY_TRY(require_known_options(sent, {}));
  JobOptions options;
  options.format.type = type;
  for (const SentOption& option : sent) {
    if (is_for_csv(option.name) && type != ContentType::kCsv) {
      return invalid(option,
                     "is for text/csv; this upload is " + std::string(name(type)));
    }
    TALLY_TRY(read_option(option, options));
  }
  return options;
}

Result<void> require_known_options(std::span<const SentOption> sent,
                                   std::span<const std::string> others) {
  std::vector<std::string> known = option_names();
  known.insert(known.end(), others.begin(), others.end());
  std::vector<std::string> names;
  for (const SentOption& option : sent) names.push_back(option.name);
  return require_known("option", names, known);
}

Result<void> require_known_parameters(
    std::span<const std::pair<std::string, std::string>> query,
    std::span<const std::string> known) {
  std::vector<std::string> names;
  for (const auto& parameter : query) names.push_back(parameter.first);
  return require_known("parameter", names, known);
}

std::string suggestion(std::string_view name, std::span<const std::string> known) {
  if (const auto nearest = nearest_name(name, known))
    return "; did you mean '" + *nearest + "'?";
  std::string list = known.empty() ? "; it takes none" : "; known: ";
  for (std::size_t i = 0; i < known.size(); ++i) list += (i == 0 ? "" : ", ") + known[i];
  return list;
}

std::optional<std::uint64_t> parse_whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, problem] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace tallyman::rest
