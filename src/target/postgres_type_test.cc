#include "target/postgres_type.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

PostgresType describe(std::string name, std::int32_t modifier = -1) {
  return describe_postgres_type({.oid = 1,
                                 .array_oid = 2,
                                 .schema = "pg_catalog",
                                 .name = std::move(name),
                                 .modifier = modifier});
}

TEST(PostgresType, TravelsInItsOwnFormOrAsText) {
  const PostgresType number = describe("int4");
  EXPECT_EQ(number.wire, PostgresWire::kInt4);
  EXPECT_EQ(number.field_type, FieldType::kInteger);
  EXPECT_EQ(number.name, "\"pg_catalog\".\"int4\"");
  EXPECT_EQ(number.wire_oid, 1u);
  EXPECT_EQ(number.wire_array_oid, 2u);

  const PostgresType address = describe("inet");
  EXPECT_TRUE(address.needs_cast());
  EXPECT_EQ(address.field_type, FieldType::kText);
  EXPECT_EQ(address.name, "\"pg_catalog\".\"inet\"");
  EXPECT_EQ(address.wire_oid, db::kTextOid);
  EXPECT_EQ(address.wire_array_oid, db::kTextArrayOid);
}

TEST(PostgresType, IsKnownBySchemaToo) {
  const PostgresType fake =
      describe_postgres_type({.oid = 1, .schema = "app", .name = "int4"});
  EXPECT_TRUE(fake.needs_cast());
  EXPECT_EQ(fake.name, "\"app\".\"int4\"");
}

TEST(PostgresType, TellsPrecisionsFromTheModifier) {
  const PostgresType money = describe("numeric", ((12 << 16) | 2) + 4);
  EXPECT_EQ(money.precision, 12);
  EXPECT_EQ(money.scale, 2);
  EXPECT_TRUE(money.canonical);
  const PostgresType hundreds = describe("numeric", ((3 << 16) | (-2 & 0x7FF)) + 4);
  EXPECT_EQ(hundreds.precision, 3);
  EXPECT_EQ(hundreds.scale, -2);
  const PostgresType any = describe("numeric");
  EXPECT_FALSE(any.precision);
  EXPECT_FALSE(any.canonical);
  EXPECT_EQ(describe("varchar", 24).max_length, 20u);
  EXPECT_FALSE(describe("varchar").max_length);
  EXPECT_EQ(describe("timestamptz", 3).second_digits, 3);
}

TEST(PostgresType, IsCanonicalOnlyWhereBytesDecide) {
  for (const char* name : {"int2", "int8", "float8", "text", "varchar", "date", "uuid",
                           "bytea", "bool", "timestamptz"}) {
    EXPECT_TRUE(describe(name).canonical) << name;
  }
  for (const char* name : {"bpchar", "json", "jsonb", "inet", "numeric", "interval"}) {
    EXPECT_FALSE(describe(name).canonical) << name;
  }
  EXPECT_FALSE(
      describe_postgres_type(
          {.schema = "pg_catalog", .name = "text", .deterministic_collation = false})
          .canonical);
}

TEST(PostgresType, KeepsAnEnumsLabels) {
  const PostgresType mood = describe_postgres_type(
      {.schema = "app", .name = "mood", .kind = 'e', .labels = {"sad", "ok"}});
  EXPECT_EQ(mood.wire, PostgresWire::kEnum);
  EXPECT_TRUE(mood.canonical);
  EXPECT_EQ(mood.labels, (std::vector<std::string>{"sad", "ok"}));
}

}  // namespace
}  // namespace tallyman
