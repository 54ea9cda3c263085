#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <set>

#include "model/aggregate.h"
#include "model/in_quotes.h"
#include "model/json_number.h"
#include "model/limits.h"
#include "model/resource.h"

namespace tallyman {
namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

const std::array<std::string, 5> kMembers = {"type", "field", "group_by", "outcome",
                                             "function"};
const std::array<std::string, 7> kTypes = {"count",          "sum",   "avg", "min", "max",
                                           "count_distinct", "custom"};

Error refuse(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

Error not_json(std::string_view what, simdjson::error_code code) {
  return refuse(fmt::format("{}: not a JSON object that can be read ({})", what,
                            simdjson::error_message(code)));
}

Result<void> check_size(std::string_view what, std::string_view json) {
  if (json.size() <= limits::kRequestJsonBytesMax) return {};
  return Error{ErrorCode::kTooLarge,
               fmt::format("{}: {} bytes of JSON, at most {} can be sent", what,
                           json.size(), limits::kRequestJsonBytesMax)};
}

Result<void> check_count(std::string_view what, std::size_t count) {
  if (count <= limits::kAggregatesMax) return {};
  return Error{
      ErrorCode::kTooLarge,
      fmt::format("{}: more than {} in one request; ask for the rest in another one",
                  what, limits::kAggregatesMax)};
}

Result<std::string> read_text(std::string_view member, dom::element value) {
  std::string_view text;
  if (value.get(text) || text.empty()) {
    return refuse(fmt::format("\"{}\" must be a text that is not empty", member));
  }
  return std::string(text);
}

// A text, or a list of texts.
Result<std::vector<std::string>> read_texts(std::string_view member, dom::element value) {
  std::vector<std::string> texts;
  dom::array elements;
  if (value.get(elements)) {
    TALLY_TRY_ASSIGN(texts.emplace_back(), read_text(member, value));
    return texts;
  }
  for (const dom::element element : elements) {
    TALLY_TRY_ASSIGN(texts.emplace_back(), read_text(member, element));
  }
  return texts;
}

Result<std::vector<Outcome>> read_outcomes(dom::element value) {
  TALLY_TRY_ASSIGN(const std::vector<std::string> texts, read_texts("outcome", value));
  std::vector<Outcome> outcomes;
  for (const std::string& text : texts) {
    const auto outcome = outcome_from_name(text);
    if (!outcome) {
      std::vector<std::string> known;
      for (const Outcome each : kAllOutcomes) known.emplace_back(name(each));
      return refuse(
          fmt::format("no outcome {}{}", in_quotes(text), did_you_mean(text, known)));
    }
    outcomes.push_back(*outcome);
  }
  return outcomes;
}

Result<AggregateType> read_type(std::string_view text) {
  const auto type = aggregate_type_from_name(text);
  if (type) return *type;
  return refuse(fmt::format("no aggregate type {}{}; there are {}", in_quotes(text),
                            did_you_mean(text, kTypes), fmt::join(kTypes, ", ")));
}

Result<void> read_member(std::string_view key, dom::element value, AggregateSpec& spec) {
  if (key == "type") {
    TALLY_TRY_ASSIGN(const std::string text, read_text(key, value));
    TALLY_TRY_ASSIGN(spec.type, read_type(text));
  } else if (key == "field") {
    TALLY_TRY_ASSIGN(spec.field, read_text(key, value));
  } else if (key == "group_by") {
    TALLY_TRY_ASSIGN(spec.group_by, read_texts(key, value));
  } else if (key == "outcome") {
    TALLY_TRY_ASSIGN(spec.outcomes, read_outcomes(value));
  } else if (key == "function") {
    TALLY_TRY_ASSIGN(spec.function, read_text(key, value));
  } else {
    return refuse(fmt::format("no member {} in a definition{}", in_quotes(key),
                              did_you_mean(key, kMembers)));
  }
  return {};
}

Result<AggregateSpec> read_definition(dom::element value) {
  dom::object members;
  if (value.get(members)) {
    return refuse("a definition is an object, such as {\"type\": \"count\"}");
  }
  AggregateSpec spec;
  std::set<std::string_view> seen;
  for (const auto [key, member] : members) {
    if (!seen.insert(key).second) return refuse(in_quotes(key) + " is there twice");
    TALLY_TRY(read_member(key, member, spec));
  }
  if (!seen.contains("type")) return refuse("\"type\" is missing");
  return spec;
}

Result<AggregateSpec> read_aggregate(std::string_view aggregate_name, dom::element value,
                                     const Resource& resource, bool is_delete_job) {
  if (aggregate_name.empty()) return refuse("a name cannot be empty");
  TALLY_TRY_ASSIGN(AggregateSpec spec, read_definition(value));
  TALLY_TRY(check_aggregate(spec, resource, is_delete_job));
  spec.name = aggregate_name;
  return spec;
}

// "sum.amount" -> sum of the field "amount". What follows the first point is the field,
// so a field may have points in its name.
Result<AggregateSpec> read_total_name(std::string_view text, const Resource& resource,
                                      bool is_delete_job) {
  const std::size_t point = text.find('.');
  AggregateSpec spec;
  spec.name = text;
  TALLY_TRY_ASSIGN(spec.type, read_type(text.substr(0, point)));
  if (spec.type == AggregateType::kCustom) {
    return refuse("\"custom\" cannot be a control total");
  }
  if (point != std::string_view::npos) spec.field = text.substr(point + 1);
  TALLY_TRY(check_aggregate(spec, resource, is_delete_job));
  if (spec.type == AggregateType::kMin || spec.type == AggregateType::kMax) {
    const FieldType type = resource.fields[*resource.field_place(spec.field)].type;
    if (type != FieldType::kInteger && type != FieldType::kDecimal &&
        type != FieldType::kFloat) {
      return refuse(fmt::format(
          "a control total needs an integer, decimal or float field; {} is of type {}",
          in_quotes(spec.field), name(type)));
    }
  }
  return spec;
}

std::string_view without_trailing_space(std::string_view token) {
  const std::size_t last = token.find_last_not_of(" \t\r\n");
  return token.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

Result<std::string> read_expected(ondemand::value value) {
  ondemand::json_type type{};
  std::string_view digits;
  if (!value.type().get(type)) {
    // The token, not the number: a double would lose digits.
    if (type == ondemand::json_type::number) {
      digits = without_trailing_space(value.raw_json_token());
    } else if (type == ondemand::json_type::string && value.get_string().get(digits)) {
      digits = {};
    }
  }
  if (!is_plain_decimal(digits)) {
    return refuse("expected must be a decimal without an exponent, such as \"175.75\"");
  }
  return std::string(digits);
}

Result<ControlTotal> read_total(std::string_view total_name, ondemand::value value,
                                const Resource& resource, bool is_delete_job) {
  TALLY_TRY_ASSIGN(AggregateSpec spec,
                   read_total_name(total_name, resource, is_delete_job));
  TALLY_TRY_ASSIGN(std::string expected, read_expected(value));
  return ControlTotal{std::move(spec), std::move(expected)};
}

}  // namespace

Result<std::vector<AggregateSpec>> parse_aggregates(std::string_view json,
                                                    const Resource& resource,
                                                    bool is_delete_job) {
  TALLY_TRY(check_size("aggregates", json));
  dom::parser parser;
  dom::object definitions;
  // It copies even nothing, and not from nowhere.
  const std::string_view text = json.data() ? json : std::string_view("");
  if (const auto error = parser.parse(text.data(), text.size()).get(definitions)) {
    return not_json("aggregates", error);
  }
  std::vector<AggregateSpec> specs;
  std::set<std::string_view> seen;
  for (const auto [key, value] : definitions) {
    TALLY_TRY(check_count("aggregates", specs.size() + 1));
    if (!seen.insert(key).second) {
      return refuse(fmt::format("aggregates: two are named {}", in_quotes(key)));
    }
    auto spec = read_aggregate(key, value, resource, is_delete_job);
    if (!spec.ok()) {
      return std::move(spec).error().with_context(
          fmt::format("aggregate {}", in_quotes(key)));
    }
    specs.push_back(std::move(spec).value());
  }
  return specs;
}

Result<std::vector<ControlTotal>> parse_control_totals(std::string_view json,
                                                       const Resource& resource,
                                                       bool is_delete_job) {
  TALLY_TRY(check_size("control totals", json));
  const simdjson::padded_string padded(json);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object totals;
  auto error = parser.iterate(padded).get(document);
  if (!error) error = document.get_object().get(totals);
  if (error) return not_json("control totals", error);

  std::vector<ControlTotal> parsed;
  std::set<std::string> seen;
  for (auto each : totals) {
    ondemand::field field;
    std::string_view key;
    error = std::move(each).get(field);
    if (!error) error = field.unescaped_key().get(key);
    if (error) return not_json("control totals", error);

    TALLY_TRY(check_count("control totals", parsed.size() + 1));
    const std::string total_name(key);
    if (!seen.insert(total_name).second) {
      return refuse(
          fmt::format("control totals: {} is there twice", in_quotes(total_name)));
    }
    auto total = read_total(total_name, field.value(), resource, is_delete_job);
    if (!total.ok()) {
      return std::move(total).error().with_context(
          fmt::format("control total {}", in_quotes(total_name)));
    }
    parsed.push_back(std::move(total).value());
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return not_json("control totals", simdjson::TRAILING_CONTENT);
  }
  return parsed;
}

}  // namespace tallyman
