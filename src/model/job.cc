#include "model/job.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/json_writer.h"
#include "model/json_number.h"

namespace tallyman {
namespace {

constexpr auto kAllOnDuplicate =
    std::to_array<OnDuplicate>({OnDuplicate::kSequence, OnDuplicate::kFirst,
                                OnDuplicate::kLast, OnDuplicate::kError});

Error unreadable(std::string_view member) {
  return {ErrorCode::kInvalidArgument,
          "job options: the member \"" + std::string(member) + "\" cannot be read"};
}

void write_names(JsonWriter& json, std::string_view key,
                 const std::vector<std::string>& names) {
  json.key(key).begin_array();
  for (const std::string& each : names) json.text(each);
  json.end_array();
}

bool read(simdjson::dom::element value, std::string& into) {
  std::string_view text;
  if (value.get(text)) return false;
  into = text;
  return true;
}

bool read(simdjson::dom::element value, std::vector<std::string>& into) {
  simdjson::dom::array elements;
  if (value.get(elements)) return false;
  into.clear();
  for (const simdjson::dom::element element : elements) {
    if (!read(element, into.emplace_back())) return false;
  }
  return true;
}

bool read(simdjson::dom::element value, bool& into) { return !value.get(into); }

bool read(simdjson::dom::element value, std::uint64_t& into) { return !value.get(into); }

template <class T>
bool read(simdjson::dom::element value, std::optional<T>& into) {
  return read(value, into.emplace());
}

bool read(simdjson::dom::element value, char& into) {
  std::string text;
  if (!read(value, text) || text.size() != 1) return false;
  into = text.front();
  return true;
}

template <class T>
bool read_name(simdjson::dom::element value, T& into,
               std::optional<T> from_name(std::string_view)) {
  std::string text;
  const auto named = read(value, text) ? from_name(text) : std::nullopt;
  if (named) into = *named;
  return named.has_value();
}

bool read_ratio(simdjson::dom::element value, std::optional<std::string>& into) {
  return read(value, into) && is_error_ratio(*into);
}

bool read_member(std::string_view key, simdjson::dom::element value,
                 JobOptions& options) {
  if (key == "content_type") {
    return read_name(value, options.format.type, content_type_from_name);
  }
  if (key == "delimiter") return read(value, options.format.delimiter);
  if (key == "null_value") return read(value, options.format.null_value);
  if (key == "unique_fields") return read(value, options.unique_fields);
  if (key == "update_fields") return read(value, options.update_fields);
  if (key == "on_duplicate") {
    return read_name(value, options.on_duplicate, on_duplicate_from_name);
  }
  if (key == "atomic") return read(value, options.atomic);
  if (key == "dry_run") return read(value, options.dry_run);
  if (key == "max_errors") return read(value, options.max_errors);
  if (key == "max_error_ratio") return read_ratio(value, options.max_error_ratio);
  if (key == "aggregates") return read(value, options.aggregates);
  if (key == "expect") return read(value, options.expect);
  return false;
}

}  // namespace

std::string_view name(OnDuplicate rule) {
  switch (rule) {
    case OnDuplicate::kSequence: return "sequence";
    case OnDuplicate::kFirst: return "first";
    case OnDuplicate::kLast: return "last";
    case OnDuplicate::kError: return "error";
  }
  CHECK(false);
}

std::optional<OnDuplicate> on_duplicate_from_name(std::string_view text) {
  for (const OnDuplicate rule : kAllOnDuplicate) {
    if (name(rule) == text) return rule;
  }
  return std::nullopt;
}

bool operator==(const JobOptions& left, const JobOptions& right) {
  return left.format.type == right.format.type &&
         left.format.delimiter == right.format.delimiter &&
         left.format.null_value == right.format.null_value &&
         left.unique_fields == right.unique_fields &&
         left.update_fields == right.update_fields &&
         left.on_duplicate == right.on_duplicate && left.atomic == right.atomic &&
         left.dry_run == right.dry_run && left.max_errors == right.max_errors &&
         left.max_error_ratio == right.max_error_ratio &&
         left.aggregates == right.aggregates && left.expect == right.expect;
}

std::string to_json(const JobOptions& options) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("content_type").text(name(options.format.type));
  json.key("delimiter").text(std::string_view(&options.format.delimiter, 1));
  json.key("null_value").text(options.format.null_value);
  write_names(json, "unique_fields", options.unique_fields);
  if (options.update_fields) write_names(json, "update_fields", *options.update_fields);
  json.key("on_duplicate").text(name(options.on_duplicate));
  json.key("atomic").boolean(options.atomic);
  json.key("dry_run").boolean(options.dry_run);
  if (options.max_errors) json.key("max_errors").raw(std::to_string(*options.max_errors));
  if (options.max_error_ratio) json.key("max_error_ratio").text(*options.max_error_ratio);
  json.key("aggregates").text(options.aggregates);
  json.key("expect").text(options.expect);
  json.end_object();
  return text;
}

Result<JobOptions> job_options_from_json(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(text.data(), text.size()).get(members)) {
    return Error{ErrorCode::kInvalidArgument, "job options: not a JSON object"};
  }
  JobOptions options;
  for (const auto [key, value] : members) {
    if (!read_member(key, value, options)) return unreadable(key);
  }
  return options;
}

bool is_error_ratio(std::string_view text) {
  if (!is_plain_decimal(text)) return false;
  if (text == "0" || text.starts_with("0.")) return true;
  return text == "1" ||
         (text.starts_with("1.") && text.find_first_not_of('0', 2) == std::string::npos);
}

std::optional<std::uint64_t> error_budget(const JobOptions& options,
                                          std::uint64_t total) {
  if (!options.max_error_ratio) return options.max_errors;
  const std::string_view ratio = *options.max_error_ratio;
  CHECK(is_error_ratio(ratio));
  // floor(total * 0.d1d2...dn) from the last digit to the first: what a digit adds below
  // a whole number can be dropped at once, since all that is left to do is add whole
  // numbers and divide by ten.
  unsigned __int128 allowed = 0;
  for (std::size_t i = ratio.size(); i > 2; --i) {
    const auto digit = static_cast<unsigned>(ratio[i - 1] - '0');
    allowed = (static_cast<unsigned __int128>(total) * digit + allowed) / 10;
  }
  if (ratio.front() == '1') allowed = total;
  const auto by_ratio = static_cast<std::uint64_t>(allowed);
  return options.max_errors ? std::min(*options.max_errors, by_ratio) : by_ratio;
}

}  // namespace tallyman
