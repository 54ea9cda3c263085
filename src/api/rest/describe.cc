// What there is: resources, their fields, and whether the server is well.
#include <array>

#include "api/errors.h"
#include "api/rest/handlers.h"
#include "api/rest/links.h"
#include "api/rest/options.h"
#include "base/json_writer.h"

namespace tallyman::rest {
namespace {

constexpr auto kAggregateTypes = std::to_array<AggregateType>(
    {AggregateType::kCount, AggregateType::kSum, AggregateType::kAvg, AggregateType::kMin,
     AggregateType::kMax, AggregateType::kCountDistinct, AggregateType::kCustom});

void write_operations(JsonWriter& json, const Resource& resource) {
  json.key("operations").begin_array();
  for (const Operation operation : resource.operations) json.text(name(operation));
  json.end_array();
}

void write_rules(JsonWriter& json, const Field& field) {
  const FieldRules& rules = field.rules;
  if (!rules.choices.empty()) {
    json.key("choices").begin_array();
    for (const std::string& choice : rules.choices) json.text(choice);
    json.end_array();
  }
  if (rules.minimum) json.key("minimum").text(*rules.minimum);
  if (rules.maximum) json.key("maximum").text(*rules.maximum);
  if (rules.pattern) json.key("pattern").text(*rules.pattern);
  if (field.max_length || rules.max_length) {
    const auto most = std::min(field.max_length.value_or(UINT32_MAX),
                               rules.max_length.value_or(UINT32_MAX));
    json.key("max_length").integer(most);
  }
}

void write_field(JsonWriter& json, const Field& field) {
  json.begin_object().key("name").text(field.name);
  json.key("type").text(name(field.type)).key("declared_type").text(field.declared_type);
  json.key("required").boolean(field.required()).key("nullable").boolean(field.nullable);
  json.key("writable").boolean(field.writable());
  json.key("has_default").boolean(field.has_default).key("default");
  field.default_sql.empty() ? json.null() : json.text(field.default_sql);
  if (field.precision) json.key("precision").integer(*field.precision);
  if (field.scale) json.key("scale").integer(*field.scale);
  write_rules(json, field);
  json.end_object();
}

void write_keys(JsonWriter& json, const Resource& resource) {
  json.key("keys").begin_array();
  for (const Key& key : resource.keys) {
    json.begin_object().key("name").text(key.name);
    json.key("primary").boolean(key.primary).key("fields").begin_array();
    for (const std::size_t place : key.fields) json.text(resource.fields[place].name);
    json.end_array().end_object();
  }
  json.end_array();
}

void write_aggregates(JsonWriter& json, const Resource& resource) {
  json.key("aggregates").begin_object().key("types").begin_array();
  for (const AggregateType type : kAggregateTypes) json.text(name(type));
  json.end_array().key("functions").begin_array();
  for (const auto& [name, aggregate] : resource.aggregates) json.text(name);
  json.end_array().end_object();
}

// As a cell of a CSV header line (RFC 4180).
std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char each : text) {
    if (each == '"') quoted += '"';
    quoted += each;
  }
  return quoted + '"';
}

}  // namespace

Result<http::Response> list_resources(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const auto resources, call.service().resources(call.caller));
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("resources").begin_array();
  for (const auto& resource : resources) {
    json.begin_object().key("name").text(resource->name);
    write_operations(json, *resource);
    json.key("bulk_url").text(resource_path(resource->name, "bulk/v2"));
    json.key("jobs_url").text(resource_path(resource->name, "jobs"));
    json.key("schema_url").text(resource_path(resource->name, "schema"));
    json.key("template_url")
        .text("/api/" + percent_encode(resource->name) + "/template.csv");
    json.end_object();
  }
  json.end_array().end_object();
  return http::Response::json(200, std::move(body));
}

Result<http::Response> resource_schema(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const auto resource,
                   call.service().resource(call.caller, call.resource));
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("name").text(resource->name);
  json.key("fields").begin_array();
  for (const Field& field : resource->fields) write_field(json, field);
  json.end_array();
  write_keys(json, *resource);
  write_operations(json, *resource);
  write_aggregates(json, *resource);
  json.end_object();
  return http::Response::json(200, std::move(body));
}

Result<http::Response> resource_template(Call& call) {
  TALLY_TRY(require_known_parameters(call.request.query, {}));
  TALLY_TRY_ASSIGN(const auto resource,
                   call.service().resource(call.caller, call.resource));
  http::Response response;
  for (const Field& field : resource->fields) {
    if (!field.writable()) continue;
    if (!response.body.empty()) response.body += ',';
    response.body += csv_cell(field.name);
  }
  response.body += '\n';
  response.headers.add("Content-Type", "text/csv; charset=utf-8; header=present");
  response.headers.add("Content-Disposition", "attachment; filename=\"template.csv\"");
  return response;
}

Result<http::Response> health(Call&) {
  return http::Response::json(200, R"({"status":"ok"})");
}

Result<http::Response> readiness(Call& call) {
  TALLY_TRY(call.parts.database_answers());
  return http::Response::json(200, R"({"status":"ready"})");
}

}  // namespace tallyman::rest
