#include "model/aggregate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/test_resource.h"

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Resource& resource() {
  static const Resource kResource = make_test_resource();
  return kResource;
}

Result<std::vector<AggregateSpec>> parse(std::string_view json) {
  return parse_aggregates(json, resource(), false);
}

// The one definition in {"x": definition}.
Result<std::vector<AggregateSpec>> parse_one(const std::string& definition) {
  return parse("{\"x\": " + definition + "}");
}

void expect_refused(const std::string& definition, const std::string& because) {
  SCOPED_TRACE(definition);
  const auto parsed = parse_one(definition);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(parsed.error().message, HasSubstr("aggregate \"x\": "));
  EXPECT_THAT(parsed.error().message, HasSubstr(because));
}

TEST(Aggregate, ReadsWhatIsAskedForInItsOrder) {
  const auto specs = parse(R"({
      "total": {"type": "sum", "field": "amount"},
      "n": {"type": "count"},
      "by_day": {"type": "max", "field": "ratio", "group_by": ["category", "day"],
                 "outcome": ["updated", "created"]},
      "kinds": {"type": "count_distinct", "field": "category", "group_by": "day",
                "outcome": "created"},
      "mine": {"type": "custom", "function": "largest"}})")
                         .value();
  ASSERT_EQ(specs.size(), 5u);
  EXPECT_EQ(specs[0].name, "total");
  EXPECT_EQ(specs[0].type, AggregateType::kSum);
  EXPECT_EQ(specs[0].field, "amount");
  EXPECT_EQ(specs[1].type, AggregateType::kCount);
  EXPECT_THAT(specs[2].group_by, ElementsAre("category", "day"));
  EXPECT_THAT(specs[2].outcomes, ElementsAre(Outcome::kUpdated, Outcome::kCreated));
  EXPECT_THAT(specs[3].group_by, ElementsAre("day"));
  EXPECT_THAT(specs[3].outcomes, ElementsAre(Outcome::kCreated));
  EXPECT_EQ(specs[4].function, "largest");
  EXPECT_TRUE(parse("{}").value().empty());
}

TEST(Aggregate, WhatIsWrittenReadsBackTheSame) {
  for (const std::string definition :
       {R"({"type":"count"})", R"({"type":"sum","field":"amount"})",
        R"({"type":"avg","field":"ratio","group_by":["category"]})",
        R"({"type":"min","field":"day","outcome":["created","unchanged"]})",
        R"({"type":"max","field":"category","group_by":["day","active"]})",
        R"({"type":"count_distinct","field":"blob"})",
        R"({"type":"custom","function":"largest"})"}) {
    EXPECT_EQ(to_json(parse_one(definition).value()[0]), definition);
  }
}

TEST(Aggregate, OneMeaningIsOneText) {
  const auto text = [](const std::string& definition) {
    return to_json(parse_one(definition).value()[0]);
  };
  EXPECT_EQ(text(R"({"field": "amount", "type": "sum", "group_by": "day"})"),
            text(R"({"type": "sum", "group_by": ["day"], "field": "amount"})"));
  EXPECT_EQ(text(R"({"type": "count", "outcome": ["updated", "created", "updated"]})"),
            text(R"({"type": "count", "outcome": ["created", "updated"]})"));
  EXPECT_NE(text(R"({"type": "count", "group_by": ["day", "category"]})"),
            text(R"({"type": "count", "group_by": ["category", "day"]})"));
}

TEST(Aggregate, NamesTheUnknownAndItsNearestNeighbour) {
  expect_refused(R"({"type": "summ", "field": "amount"})",
                 "no aggregate type \"summ\"; did you mean \"sum\"?");
  expect_refused(
      R"({"type": "sum", "field": "amout"})",
      "no field \"amout\" in resource \"transactions\"; did you mean \"amount\"?");
  expect_refused(R"({"type": "count", "group_by": ["day", "categroy"]})",
                 "no field \"categroy\"");
  expect_refused(R"({"type": "count", "outcome": "create"})",
                 "no outcome \"create\"; did you mean \"created\"?");
  expect_refused(R"({"type": "custom", "function": "largets"})",
                 "no function \"largets\" in resource \"transactions\"; did you mean "
                 "\"largest\"?");
  expect_refused(R"({"type": "sum", "fields": "amount"})",
                 "no member \"fields\" in a definition; did you mean \"field\"?");
}

TEST(Aggregate, CutsALongNameInItsMessage) {
  const auto parsed =
      parse_one("{\"type\": \"sum\", \"field\": \"" + std::string(100'000, 'x') + "\"}");
  ASSERT_FALSE(parsed.ok());
  EXPECT_LT(parsed.error().message.size(), 300u);
}

TEST(Aggregate, RefusesAFieldThatDoesNotSuitTheType) {
  for (const char* type : {"sum", "avg"}) {
    for (const char* field : {"category", "day", "active", "note", "blob"}) {
      expect_refused(
          "{\"type\": \"" + std::string(type) + "\", \"field\": \"" + field + "\"}",
          "needs an integer, decimal or float field; \"" + std::string(field) +
              "\" is of type ");
    }
    for (const char* field : {"id", "amount", "ratio"}) {
      EXPECT_TRUE(parse_one("{\"type\": \"" + std::string(type) + "\", \"field\": \"" +
                            field + "\"}")
                      .ok());
    }
  }
  for (const char* field : {"active", "note", "blob"}) {
    expect_refused("{\"type\": \"min\", \"field\": \"" + std::string(field) + "\"}",
                   "whose values have an order");
  }
  expect_refused(R"({"type": "count_distinct", "field": "note"})", "can be compared");
  expect_refused(R"({"type": "count", "group_by": "note"})", "can be compared");
}

TEST(Aggregate, RefusesMembersThatDoNotBelong) {
  expect_refused(R"({"type": "count", "field": "id"})", "takes no \"field\"");
  expect_refused(R"({"type": "custom", "function": "largest", "field": "id"})",
                 "takes no \"field\"");
  expect_refused(R"({"type": "custom", "function": "largest", "group_by": "day"})",
                 "takes no \"group_by\"");
  expect_refused(R"({"type": "count", "function": "largest"})", "only \"custom\"");
  expect_refused(R"({"type": "count", "group_by": ["day", "day"]})",
                 "\"group_by\" names \"day\" twice");
  expect_refused(R"({"type": "count", "type": "count"})", "\"type\" is there twice");
}

TEST(Aggregate, RefusesWhatIsMissing) {
  expect_refused(R"({})", "\"type\" is missing");
  expect_refused(R"({"field": "amount"})", "\"type\" is missing");
  expect_refused(R"({"type": "sum"})", "\"sum\" needs a \"field\"");
  expect_refused(R"({"type": "custom"})", "\"custom\" needs a \"function\"");
}

TEST(Aggregate, RefusesMembersOfTheWrongShape) {
  expect_refused("3", "a definition is an object");
  expect_refused("null", "a definition is an object");
  expect_refused(R"({"type": 3})", "\"type\" must be a text");
  expect_refused(R"({"type": "sum", "field": ["amount"]})", "\"field\" must be a text");
  expect_refused(R"({"type": "sum", "field": ""})", "\"field\" must be a text");
  expect_refused(R"({"type": "count", "group_by": [3]})", "\"group_by\" must be a text");
  expect_refused(R"({"type": "count", "outcome": {}})", "\"outcome\" must be a text");
}

TEST(Aggregate, RefusesOutcomesThatLeaveNoRow) {
  for (const char* outcome : {"deleted", "failed", "unprocessed"}) {
    expect_refused("{\"type\": \"count\", \"outcome\": \"" + std::string(outcome) + "\"}",
                   "\"outcome\" cannot be \"" + std::string(outcome) + "\"");
  }
}

TEST(Aggregate, OfADeleteJobOnlyRowsCanBeCounted) {
  const auto is_fine = [](std::string_view json) {
    return parse_aggregates(json, resource(), true).ok();
  };
  EXPECT_TRUE(is_fine(R"({"n": {"type": "count"}})"));
  EXPECT_TRUE(is_fine(R"({"n": {"type": "count", "outcome": "deleted"}})"));
  EXPECT_FALSE(is_fine(R"({"n": {"type": "count", "outcome": "created"}})"));
  EXPECT_FALSE(is_fine(R"({"n": {"type": "count", "group_by": "day"}})"));
  EXPECT_FALSE(is_fine(R"({"n": {"type": "sum", "field": "amount"}})"));
  EXPECT_FALSE(is_fine(R"({"n": {"type": "custom", "function": "largest"}})"));
}

TEST(Aggregate, RefusesTwoOfOneNameAndAnEmptyName) {
  const auto twice = parse(R"({"n": {"type": "count"}, "n": {"type": "count"}})");
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().message, HasSubstr("two are named \"n\""));
  EXPECT_FALSE(parse(R"({"": {"type": "count"}})").ok());
}

TEST(Aggregate, RefusesWhatIsNoJsonObject) {
  for (const char* text : {"", "[]", "3", "null", "{", R"({"n": {"type": "count"}} x)",
                           "{\"\xff\": {\"type\": \"count\"}}"}) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Aggregate, TypesHaveTheNamesOfTheApi) {
  for (const char* text :
       {"count", "sum", "avg", "min", "max", "count_distinct", "custom"}) {
    ASSERT_TRUE(aggregate_type_from_name(text)) << text;
    EXPECT_EQ(name(*aggregate_type_from_name(text)), text);
  }
  EXPECT_EQ(aggregate_type_from_name("Count"), std::nullopt);
}

}  // namespace
}  // namespace tallyman
