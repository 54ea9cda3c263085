#include "api/rest/bodies.h"

#include <fmt/format.h>

#include "api/rest/links.h"
#include "base/check.h"
#include "base/json_writer.h"
#include "base/time_text.h"

namespace tallyman::rest {
namespace {

JsonWriter& count(JsonWriter& json, std::string_view key, std::uint64_t value) {
  return json.key(key).integer(static_cast<std::int64_t>(value));
}

void names(JsonWriter& json, std::string_view key,
           const std::vector<std::string>& values) {
  json.key(key).begin_array();
  for (const std::string& value : values) json.text(value);
  json.end_array();
}

void text_or_null(JsonWriter& json, std::string_view key, std::string_view value) {
  json.key(key);
  value.empty() ? json.null() : json.text(value);
}

void total_items(JsonWriter& json, const Job& job) {
  json.key("total_items");
  job.total_items ? json.integer(static_cast<std::int64_t>(*job.total_items))
                  : json.null();
}

bool is_checked_first(const Job& job) {
  return job.options.atomic || job.options.dry_run;
}

std::string message_of(const Job& job) {
  if (!job.message.empty()) return job.message;
  const std::uint64_t total = job.total_items.value_or(0);
  switch (job.state) {
    case JobState::kOpen: return "The upload is not complete yet";
    case JobState::kUploadComplete:
      return fmt::format("{} items wait for their turn", total);
    case JobState::kInProgress:
      return fmt::format("{} of {} items are processed", job.counts.processed(), total);
    case JobState::kJobComplete:
      return fmt::format("{} items are processed: {} succeeded, {} failed", total,
                         job.counts.succeeded(), job.counts.failed);
    case JobState::kFailed:
    case JobState::kAborted:
      return fmt::format("The job ended after {} of {} items", job.counts.processed(),
                         total);
  }
  CHECK(false);
}

// What stands at the head of every description of a job.
void identity(JsonWriter& json, const Job& job) {
  json.key("job_id").text(job.id.to_string());
  json.key("number").integer(job.number.value());
  json.key("job_type").text(name(job.operation));
  json.key("state").text(name(job.state));
  json.key("created_at").text(to_rfc3339(job.created_at));
  json.key("updated_at").text(to_rfc3339(job.updated_at));
  text_or_null(json, "completed_at",
               job.completed_at ? to_rfc3339(*job.completed_at) : "");
}

void progress(JsonWriter& json, const Job& job) {
  total_items(json, job);
  count(json, "processed_items", job.counts.processed());
  if (is_checked_first(job)) count(json, "checked_items", job.checked_items);
  count(json, "success_count", job.counts.succeeded());
  count(json, "error_count", job.counts.failed);
}

void outcomes(JsonWriter& json, const Job& job, std::uint64_t unprocessed) {
  count(json, "created_count", job.counts.created);
  count(json, "updated_count", job.counts.updated);
  count(json, "deleted_count", job.counts.deleted);
  count(json, "unchanged_count", job.counts.unchanged);
  count(json, "unprocessed_count", unprocessed);
}

void circumstances(JsonWriter& json, const Job& job) {
  if (job.options.dry_run) json.key("dry_run").boolean(true);
  if (!job.lanes_reason.empty()) json.key("lanes_reason").text(job.lanes_reason);
  count(json, "retries", job.retries);
  if (job.parent) {
    json.key("parent_id").text(job.parent->to_string());
    count(json, "superseded", job.superseded);
  }
}

void errors(JsonWriter& json, const JobStatus& status) {
  json.key("error_summary").begin_object();
  for (std::size_t i = 0; i < kRecordErrorCodeCount; ++i) {
    if (status.error_counts[i] == 0) continue;
    count(json, name(static_cast<RecordErrorCode>(i)), status.error_counts[i]);
  }
  json.end_object().key("errors").begin_array();
  for (const auto& [record, error] : status.errors) {
    json.begin_object().key("record").integer(record.value());
    json.key("code").text(name(error.code));
    text_or_null(json, "field", error.field);
    json.key("message").text(error.message).end_object();
  }
  json.end_array();
}

std::string_view verb(Operation operation) {
  return operation == Operation::kInsert ? "create" : name(operation);
}

std::uint64_t unprocessed_items(const Job& job) {
  return is_terminal(job.state) ? job.total_items.value_or(0) - job.counts.processed()
                                : 0;
}

void started(JsonWriter& json, const Job& job) {
  json.key("message").text(fmt::format("Enhanced bulk {} job started for {} items",
                                       verb(job.operation), job.total_items.value_or(0)));
  json.key("job_id").text(job.id.to_string());
  json.key("task_id").text(fmt::format("job-{}", job.number.value()));
  total_items(json, job);
  if (job.operation == Operation::kUpsert) {
    names(json, "unique_fields", job.options.unique_fields);
    if (job.options.update_fields) {
      names(json, "update_fields", *job.options.update_fields);
    } else {
      json.key("update_fields").null();
    }
  }
  if (job.parent) {
    json.key("parent_id").text(job.parent->to_string());
    count(json, "superseded", job.superseded);
  }
  json.key("status_url").text(job_path(job, "status"));
  json.key("aggregates_url").text(job_path(job, "aggregates"));
}

}  // namespace

std::string status_body(const JobStatus& status) {
  const Job& job = status.job;
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  identity(json, job);
  progress(json, job);
  json.key("percentage").number(status.percentage, 1);
  json.key("aggregates_ready").boolean(status.aggregates_ready);
  json.key("aggregates_completed").boolean(status.aggregates_completed);
  outcomes(json, job, status.unprocessed);
  json.key("verified").boolean(job.verified);
  errors(json, status);
  json.key("estimated_remaining");
  status.estimated_remaining ? json.integer(*status.estimated_remaining) : json.null();
  json.key("can_retry").boolean(status.can_retry);
  circumstances(json, job);
  json.key("results_url").text(job_path(job, "results"));
  json.key("message").text(message_of(job)).end_object();
  return body;
}

std::string listed_body(const Job& job) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  identity(json, job);
  json.key("resource").text(job.resource);
  progress(json, job);
  outcomes(json, job, unprocessed_items(job));
  json.key("verified").boolean(job.verified);
  circumstances(json, job);
  json.key("status_url").text(job_path(job, "status"));
  json.key("results_url").text(job_path(job, "results"));
  json.key("message").text(message_of(job)).end_object();
  return body;
}

std::string started_body(const Job& job) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  started(json, job);
  json.end_object();
  return body;
}

std::string completed_body(const Job& job) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  started(json, job);
  json.key("state").text(name(job.state)).end_object();
  return body;
}

std::string created_body(const Job& job) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  identity(json, job);
  json.key("content_type").text(name(job.options.format.type));
  json.key("upload_url").text(job_path(job, "data"));
  json.key("complete_url").text(job_path(job, "complete"));
  json.key("status_url").text(job_path(job, "status"));
  json.key("message").text(message_of(job)).end_object();
  return body;
}

std::string history_body(const JobId& id, const std::vector<JobHistoryEntry>& history) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("job_id").text(id.to_string()).key("results").begin_array();
  for (const JobHistoryEntry& entry : history) {
    json.begin_object().key("sequence").integer(entry.sequence);
    json.key("at").text(to_rfc3339(entry.at)).key("event").text(entry.event);
    text_or_null(json, "from", entry.from ? name(*entry.from) : "");
    text_or_null(json, "to", entry.to ? name(*entry.to) : "");
    json.key("by").text(entry.by).key("detail").text(entry.detail).end_object();
  }
  json.end_array().end_object();
  return body;
}

std::string progress_body(const Job& job) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("job_id").text(job.id.to_string());
  progress(json, job);
  outcomes(json, job, unprocessed_items(job));
  json.end_object();
  return body;
}

}  // namespace tallyman::rest
