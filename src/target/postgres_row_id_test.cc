#include "target/postgres_row_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/postgres_numeric.h"
#include "target/postgres_wire.h"

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::Optional;

PostgresTable table_of(const std::vector<const char*>& types) {
  PostgresTable table;
  Key key{"pkey", {}, true};
  for (const char* type : types) {
    PostgresColumn column;
    column.type = describe_postgres_type({.schema = "pg_catalog", .name = type});
    column.sql_name = "\"c\"";
    Field field;
    field.type = column.type.field_type;
    key.fields.push_back(table.columns.size());
    table.columns.push_back(std::move(column));
    table.resource.fields.push_back(std::move(field));
  }
  table.resource.keys = {std::move(key)};
  return table;
}

std::string id_of(const PostgresTable& table, const std::vector<std::string_view>& key) {
  std::string id;
  append_row_id(table, key, id);
  return id;
}

TEST(PostgresRowId, IsTheValueAsText) {
  std::string number;
  ASSERT_EQ(encode_numeric("12.50", {}, {}, number), TextFault::kNone);
  EXPECT_EQ(id_of(table_of({"numeric"}), {number}), "12.5");
  EXPECT_EQ(id_of(table_of({"text"}), {"[\"no\", JSON"}), "[\"no\", JSON");
  EXPECT_EQ(id_of(table_of({"bpchar"}), {"ab  "}), "ab");
  EXPECT_EQ(id_of(table_of({"bytea"}), {std::string_view("\0\xFF", 2)}), "\\x00ff");
  EXPECT_EQ(id_of(table_of({"inet"}), {"10.0.0.1"}), "10.0.0.1");
  EXPECT_THAT(parse_row_id(table_of({"text"}), "[1"), Optional(ElementsAre("[1")));
}

TEST(PostgresRowId, OfSeveralColumnsIsAJsonArray) {
  const PostgresTable table = table_of({"text", "int4", "numeric", "bool", "date"});
  std::string number;
  std::string day;
  ASSERT_EQ(encode_numeric("-0.125", {}, {}, number), TextFault::kNone);
  ASSERT_EQ(encode_date("2024-01-31", day), TextFault::kNone);
  const std::string id =
      id_of(table, {"a\"b,]\xC3\xA9", std::string_view("\0\0\0\x29", 4), number,
                    std::string_view("\1", 1), day});
  EXPECT_EQ(id, "[\"a\\\"b,]\xC3\xA9\",41,-0.125,true,\"2024-01-31\"]");
  EXPECT_THAT(
      parse_row_id(table, id),
      Optional(ElementsAre("a\"b,]\xC3\xA9", "41", "-0.125", "true", "2024-01-31")));
  const PostgresTable two = table_of({"float8", "numeric"});
  const std::string_view nan_float("\x7F\xF8\0\0\0\0\0\0", 8);
  const std::string_view nan_numeric("\0\0\0\0\xC0\0\0\0", 8);
  EXPECT_EQ(id_of(two, {nan_float, nan_numeric}), "[\"nan\",\"NaN\"]");
}

TEST(PostgresRowId, IsRefusedWhereItIsNone) {
  const PostgresTable table = table_of({"text", "int4"});
  for (const char* id : {"", "7", "[", "[\"a\"]", "[\"a\",1,2]", "{\"a\":1}"}) {
    EXPECT_FALSE(parse_row_id(table, id)) << id;
  }
}

TEST(PostgresRowId, ReadsColumnsAsTheyAreHeld) {
  const PostgresTable table = table_of({"int4", "inet", "bpchar", "text"});
  EXPECT_EQ(postgres_read_term(table.columns[0], "t"), "t.\"c\"");
  EXPECT_EQ(postgres_read_term(table.columns[1], "t"), "t.\"c\"::pg_catalog.text");
  EXPECT_EQ(postgres_read_term(table.columns[2], "t"), "t.\"c\"::pg_catalog.text");
  EXPECT_EQ(postgres_read_term(table.columns[3], "t"), "t.\"c\"");
}

}  // namespace
}  // namespace tallyman
