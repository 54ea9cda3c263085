#include "client/answers.h"

#include <fmt/format.h>
#include <simdjson.h>

namespace tallyman::client {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

Error not_ours(std::string_view what) {
  return {ErrorCode::kInternal,
          fmt::format("the server's answer is not {}: is the address that of a tallyman "
                      "server?",
                      what)};
}

// A parsed document: the parser owns what the element points into.
struct Document {
  simdjson::dom::parser parser;
  element root;
};

Result<void> parse(Document& into, std::string_view json, std::string_view what) {
  if (into.parser.parse(json.data(), json.size(), true).get(into.root))
    return not_ours(what);
  return {};
}

std::string text_of(const object& from, std::string_view key) {
  std::string_view value;
  return from[key].get(value) ? std::string() : std::string(value);
}

std::optional<std::int64_t> integer_of(const object& from, std::string_view key) {
  std::int64_t value = 0;
  if (from[key].get(value)) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> count_of(const object& from, std::string_view key) {
  std::uint64_t value = 0;
  if (from[key].get(value)) return std::nullopt;
  return value;
}

bool truth_of(const object& from, std::string_view key) {
  bool value = false;
  return !from[key].get(value) && value;
}

double number_of(const object& from, std::string_view key) {
  double value = 0.0;
  return from[key].get(value) ? 0.0 : value;
}

std::optional<JobId> id_of(const object& from, std::string_view key) {
  const auto uuid = Uuid::parse(text_of(from, key));
  return uuid ? std::optional(JobId(*uuid)) : std::nullopt;
}

// "/api/transactions/jobs/550e.../results/" is a job of "transactions".
std::string resource_in_url(std::string_view url) {
  constexpr std::string_view kStart = "/api/";
  if (!url.starts_with(kStart)) return {};
  url.remove_prefix(kStart.size());
  return std::string(url.substr(0, url.find('/')));
}

std::vector<RecordFault> faults_of(const object& from) {
  std::vector<RecordFault> faults;
  array list;
  if (from["errors"].get(list)) return faults;
  for (const element item : list) {
    object fault;
    if (item.get(fault)) continue;
    faults.push_back({count_of(fault, "record").value_or(0), text_of(fault, "code"),
                      text_of(fault, "field"), text_of(fault, "message")});
  }
  return faults;
}

std::vector<std::pair<std::string, std::uint64_t>> summary_of(const object& from) {
  std::vector<std::pair<std::string, std::uint64_t>> summary;
  object codes;
  if (from["error_summary"].get(codes)) return summary;
  for (const auto& [code, value] : codes) {
    std::uint64_t count = 0;
    if (!value.get(count)) summary.emplace_back(code, count);
  }
  return summary;
}

void read_counts(JobStatus& status, const object& from) {
  status.total_items = count_of(from, "total_items");
  status.processed = count_of(from, "processed_items").value_or(0);
  status.checked = count_of(from, "checked_items").value_or(0);
  status.succeeded = count_of(from, "success_count").value_or(0);
  status.failed = count_of(from, "error_count").value_or(0);
  status.created = count_of(from, "created_count").value_or(0);
  status.updated = count_of(from, "updated_count").value_or(0);
  status.unchanged = count_of(from, "unchanged_count").value_or(0);
  status.deleted = count_of(from, "deleted_count").value_or(0);
  status.unprocessed = count_of(from, "unprocessed_count").value_or(0);
}

Result<JobStatus> status_of(const object& from) {
  JobStatus status;
  const auto id = id_of(from, "job_id");
  const auto operation = operation_from_name(text_of(from, "job_type"));
  const auto state = job_state_from_name(text_of(from, "state"));
  if (!id || !operation || !state) return not_ours("the status of a job");
  status.id = *id;
  status.operation = *operation;
  status.state = *state;
  status.resource = text_of(from, "resource");
  if (status.resource.empty()) {
    status.resource = resource_in_url(text_of(from, "results_url"));
  }
  status.created_at = text_of(from, "created_at");
  status.updated_at = text_of(from, "updated_at");
  status.completed_at = text_of(from, "completed_at");
  read_counts(status, from);
  status.percentage = number_of(from, "percentage");
  status.estimated_remaining = integer_of(from, "estimated_remaining");
  status.verified = truth_of(from, "verified");
  status.dry_run = truth_of(from, "dry_run");
  status.can_retry = truth_of(from, "can_retry");
  status.aggregates_completed = truth_of(from, "aggregates_completed");
  status.error_summary = summary_of(from);
  status.errors = faults_of(from);
  status.lanes_reason = text_of(from, "lanes_reason");
  status.message = text_of(from, "message");
  return status;
}

std::string_view trimmed(std::string_view json) {
  const auto end = json.find_last_not_of(" \t\r\n");
  return end == std::string_view::npos ? std::string_view() : json.substr(0, end + 1);
}

// The JSON text of a value as it was sent: numbers keep their digits.
simdjson::error_code raw_json(simdjson::ondemand::value value, std::string_view& into) {
  simdjson::ondemand::json_type type;
  if (const auto error = value.type().get(type)) return error;
  if (type == simdjson::ondemand::json_type::object) {
    simdjson::ondemand::object whole;
    if (const auto error = value.get_object().get(whole)) return error;
    return whole.raw_json().get(into);
  }
  if (type == simdjson::ondemand::json_type::array) {
    simdjson::ondemand::array whole;
    if (const auto error = value.get_array().get(whole)) return error;
    return whole.raw_json().get(into);
  }
  into = trimmed(value.raw_json_token());
  return simdjson::SUCCESS;
}

Result<void> read_aggregate_values(AggregateAnswer& answer, std::string_view json) {
  const simdjson::padded_string padded(json);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object results;
  if (parser.iterate(padded).get(document) ||
      document["aggregate_results"].get_object().get(results)) {
    return {};  // None yet.
  }
  for (auto field : results) {
    std::string_view name;
    std::string_view value;
    if (field.unescaped_key().get(name)) return not_ours("the aggregates of a job");
    std::string kept_name(name);
    simdjson::ondemand::value inner;
    if (field.value().get(inner) || raw_json(inner, value)) {
      return not_ours("the aggregates of a job");
    }
    answer.results.emplace_back(std::move(kept_name), trimmed(value));
  }
  return {};
}

}  // namespace

Result<StartedJob> parse_started_job(std::string_view json) {
  constexpr std::string_view kWhat = "that of a started job";
  Document document;
  TALLY_TRY(parse(document, json, kWhat));
  object root;
  if (document.root.get(root)) return not_ours(kWhat);
  const auto id = id_of(root, "job_id");
  if (!id) return not_ours(kWhat);
  StartedJob job;
  job.id = *id;
  job.total_items = count_of(root, "total_items");
  job.message = text_of(root, "message");
  job.parent = id_of(root, "parent_id");
  job.superseded = count_of(root, "superseded").value_or(0);
  return job;
}

Result<JobStatus> parse_status(std::string_view json) {
  Document document;
  TALLY_TRY(parse(document, json, "the status of a job"));
  object root;
  if (document.root.get(root)) return not_ours("the status of a job");
  TALLY_TRY_ASSIGN(JobStatus status, status_of(root));
  status.json = json;
  return status;
}

Result<JobPage> parse_page(std::string_view json) {
  Document document;
  TALLY_TRY(parse(document, json, "a list of jobs"));
  array results;
  object root;
  if (document.root.get(root) || root["results"].get(results)) {
    return not_ours("a list of jobs");
  }
  JobPage page;
  for (const element item : results) {
    object job;
    if (item.get(job)) return not_ours("a list of jobs");
    TALLY_TRY_ASSIGN(JobStatus status, status_of(job));
    status.json = simdjson::minify(item);
    page.jobs.push_back(std::move(status));
  }
  page.next = text_of(root, "next");
  return page;
}

Result<std::vector<HistoryEntry>> parse_history(std::string_view json) {
  Document document;
  TALLY_TRY(parse(document, json, "the history of a job"));
  array list;
  object root;
  const bool found = !document.root.get(list) ||
                     (!document.root.get(root) &&
                      (!root["history"].get(list) || !root["results"].get(list)));
  if (!found) return not_ours("the history of a job");
  std::vector<HistoryEntry> history;
  for (const element item : list) {
    object entry;
    if (item.get(entry)) return not_ours("the history of a job");
    history.push_back({text_of(entry, "at"), text_of(entry, "event"),
                       text_of(entry, "from"), text_of(entry, "to"), text_of(entry, "by"),
                       text_of(entry, "detail")});
  }
  return history;
}

Result<AggregateAnswer> parse_aggregate_answer(std::string_view json) {
  Document document;
  TALLY_TRY(parse(document, json, "the aggregates of a job"));
  object root;
  if (document.root.get(root)) return not_ours("the aggregates of a job");
  AggregateAnswer answer;
  answer.as_of = text_of(root, "as_of");
  answer.changed_since = truth_of(root, "changed_since");
  object errors;
  if (!root["aggregate_errors"].get(errors)) {
    for (const auto& [name, value] : errors) {
      std::string_view reason;
      if (!value.get(reason)) answer.errors.emplace_back(name, reason);
    }
  }
  answer.json = json;
  TALLY_TRY(read_aggregate_values(answer, json));
  return answer;
}

namespace {

ErrorCode code_of(int status) {
  switch (status) {
    case 400: return ErrorCode::kInvalidArgument;
    case 401: return ErrorCode::kUnauthenticated;
    case 403: return ErrorCode::kForbidden;
    case 404: return ErrorCode::kNotFound;
    case 409: return ErrorCode::kConflict;
    case 410: return ErrorCode::kGone;
    case 413: return ErrorCode::kTooLarge;
    case 406:
    case 415: return ErrorCode::kUnsupportedMedia;
    case 422: return ErrorCode::kUnreadable;
    case 429: return ErrorCode::kTooMany;
    case 502:
    case 503:
    case 504: return ErrorCode::kUnavailable;
    case 507: return ErrorCode::kOutOfSpace;
    default: return status < 500 ? ErrorCode::kInvalidArgument : ErrorCode::kInternal;
  }
}

}  // namespace

Error parse_refusal(int status, std::string_view body, std::string_view called) {
  Error error{code_of(status), {}};
  Document document;
  object root;
  if (parse(document, body, "an error").ok() && !document.root.get(root)) {
    error.message = text_of(root, "error");
    error.detail_code = text_of(root, "code");
  }
  if (error.message.empty()) {
    error.message = fmt::format("{} was answered with status {}", called, status);
  }
  return error;
}

}  // namespace tallyman::client
