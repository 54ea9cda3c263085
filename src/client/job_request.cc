#include "client/job_request.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/json_writer.h"
#include "client/transport.h"

namespace tallyman::client {
namespace {

void write_names(JsonWriter& json, std::string_view key,
                 const std::vector<std::string>& names) {
  json.key(key).begin_array();
  for (const std::string& name : names) json.text(name);
  json.end_array();
}

class Query {
 public:
  void add(std::string_view key, std::string_view value) {
    text_ += text_.empty() ? '?' : '&';
    text_ += key;
    text_ += '=';
    text_ += percent_encoded(value);
  }
  // The comma that separates names stays as it is.
  void add_names(std::string_view key, const std::vector<std::string>& names) {
    std::string value;
    for (const std::string& name : names) {
      if (!value.empty()) value += ',';
      value += percent_encoded(name);
    }
    text_ += text_.empty() ? '?' : '&';
    text_ += key;
    text_ += '=' + value;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string job_path(const JobReference& job, std::string_view action) {
  return fmt::format("/api/{}/jobs/{}/{}", percent_encoded(job.resource),
                     job.id.to_string(), action);
}

std::string to_job_json(Operation operation, const JobOptions& options) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("operation").text(name(operation));
  json.key("content_type").text(name(options.format.type));
  if (options.format.type == ContentType::kCsv) {
    json.key("delimiter").text(std::string_view(&options.format.delimiter, 1));
    json.key("null_value").text(options.format.null_value);
  }
  if (!options.unique_fields.empty()) {
    write_names(json, "unique_fields", options.unique_fields);
  }
  if (options.update_fields) write_names(json, "update_fields", *options.update_fields);
  json.key("on_duplicate").text(name(options.on_duplicate));
  json.key("mode").text(options.atomic ? "atomic" : "partial");
  if (options.dry_run) json.key("dry_run").boolean(true);
  if (options.max_errors) {
    json.key("max_errors").integer(static_cast<std::int64_t>(*options.max_errors));
  }
  if (options.max_error_ratio) json.key("max_error_ratio").raw(*options.max_error_ratio);
  if (!options.aggregates.empty()) json.key("aggregates").raw(options.aggregates);
  if (!options.expect.empty()) json.key("expect").raw(options.expect);
  json.end_object();
  return out;
}

std::string_view method_of(Operation operation) {
  switch (operation) {
    case Operation::kInsert: return "POST";
    case Operation::kUpsert:
    case Operation::kUpdate: return "PATCH";
    case Operation::kReplace: return "PUT";
    case Operation::kDelete: return "DELETE";
  }
  CHECK(false);
}

std::string to_query(const JobOptions& options) {
  Query query;
  if (!options.unique_fields.empty()) {
    query.add_names("unique_fields", options.unique_fields);
  }
  if (options.update_fields) query.add_names("update_fields", *options.update_fields);
  if (options.format.type == ContentType::kCsv) {
    if (options.format.delimiter != ',') {
      query.add("delimiter", std::string_view(&options.format.delimiter, 1));
    }
    if (!options.format.null_value.empty())
      query.add("null_value", options.format.null_value);
  }
  if (options.on_duplicate != OnDuplicate::kSequence) {
    query.add("on_duplicate", name(options.on_duplicate));
  }
  if (options.atomic) query.add("mode", "atomic");
  if (options.dry_run) query.add("dry_run", "true");
  if (options.max_errors) query.add("max_errors", std::to_string(*options.max_errors));
  if (options.max_error_ratio) query.add("max_error_ratio", *options.max_error_ratio);
  if (!options.aggregates.empty()) query.add("aggregates", options.aggregates);
  if (!options.expect.empty()) query.add("expect", options.expect);
  return query.take();
}

}  // namespace tallyman::client
