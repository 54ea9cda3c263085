#include "target/postgres_column_binder.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "target/postgres_wire.h"

namespace tallyman {
namespace {

TEST(PostgresColumnBinder, TakesOnlyWhatEachTypeIs) {
  const auto bind_one = [](const char* type, CellKind kind, std::string_view text) {
    const PostgresType described = describe_postgres_type(
        {.oid = 1, .schema = "pg_catalog", .name = type, .modifier = -1});
    Field field;
    field.name = "f";
    field.type = described.field_type;
    const auto binder = PostgresColumnBinder::make(field, described, true).value();
    const Cell cell{text.data(), static_cast<std::uint32_t>(text.size()), kind};
    std::string bytes = "before";
    CellState state = CellState::kAbsent;
    RecordError error;
    if (!binder.bind(cell, bytes, state, error)) {
      EXPECT_EQ(bytes, "before");
      return "! " + std::string(name(error.code));
    }
    std::string shown;
    append_wire_text(described.wire, std::string_view(bytes).substr(6), shown);
    return shown;
  };
  using enum CellKind;
  const std::string wrong = "! INVALID_TYPE";
  const std::string range = "! VALUE_OUT_OF_RANGE";
  EXPECT_EQ(bind_one("int2", kText, "-32768"), "-32768");
  EXPECT_EQ(bind_one("int2", kText, "32768"), range);
  EXPECT_EQ(bind_one("int4", kNumber, "+2147483647"), "2147483647");
  EXPECT_EQ(bind_one("int4", kText, "-2147483649"), range);
  EXPECT_EQ(bind_one("int8", kText, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(bind_one("int8", kText, "9223372036854775808"), range);
  EXPECT_EQ(bind_one("int8", kNumber, "1.5"), wrong);
  EXPECT_EQ(bind_one("int8", kTrue, ""), wrong);
  EXPECT_EQ(bind_one("float4", kText, "0.1"), "0.1");
  EXPECT_EQ(bind_one("float4", kText, "3.5e38"), range);
  EXPECT_EQ(bind_one("float4", kText, "1e-60"), "0");
  EXPECT_EQ(bind_one("float8", kText, "-0"), "0");
  EXPECT_EQ(bind_one("float8", kText, "NaN"), wrong);
  EXPECT_EQ(bind_one("float8", kText, "1e309"), range);
  EXPECT_EQ(bind_one("numeric", kText, "Infinity"), wrong);
  EXPECT_EQ(bind_one("bool", kTrue, ""), "true");
  EXPECT_EQ(bind_one("bool", kText, "F"), "false");
  EXPECT_EQ(bind_one("bool", kText, "yes"), wrong);
  EXPECT_EQ(bind_one("text", kText, std::string_view("a\0b", 3)), wrong);
  EXPECT_EQ(bind_one("text", kNumber, "5"), wrong);
  EXPECT_EQ(bind_one("date", kText, "2024-02-30"), wrong);
  EXPECT_EQ(bind_one("date", kText, "0001-01-01"), "0001-01-01");
  EXPECT_EQ(bind_one("date", kText, "9999-12-31"), "9999-12-31");
  EXPECT_EQ(bind_one("date", kText, "infinity"), wrong);
  EXPECT_EQ(bind_one("time", kText, "23:59:59.999999"), "23:59:59.999999");
  EXPECT_EQ(bind_one("time", kText, "24:00:00"), wrong);
  EXPECT_EQ(bind_one("timestamp", kText, "2024-01-31 10:30:00.250"),
            "2024-01-31T10:30:00.25");
  EXPECT_EQ(bind_one("timestamp", kText, "2024-01-31T10:30:00+05:30"),
            "2024-01-31T05:00:00");
  EXPECT_EQ(bind_one("timestamptz", kText, "2024-01-31T22:30:00-05:30"),
            "2024-02-01T04:00:00Z");
  EXPECT_EQ(bind_one("timestamptz", kText, "1999-12-31T23:59:59.999999"),
            "1999-12-31T23:59:59.999999Z");
  EXPECT_EQ(bind_one("uuid", kText, "550E8400-e29b-41d4-a716-446655440000"),
            "550e8400-e29b-41d4-a716-446655440000");
  EXPECT_EQ(bind_one("uuid", kText, "550e8400e29b41d4a716446655440000"), wrong);
  EXPECT_EQ(bind_one("json", kText, "{\"a\": [1]}"), "{\"a\": [1]}");
  EXPECT_EQ(bind_one("json", kText, "{a}"), wrong);
  EXPECT_EQ(bind_one("jsonb", kJson, "[1, 2]"), "[1, 2]");
  EXPECT_EQ(bind_one("jsonb", kText, "\"\\u0000\""), wrong);
  EXPECT_EQ(bind_one("jsonb", kText, "\"\\\\u0000\""), "\"\\\\u0000\"");
  EXPECT_EQ(bind_one("bytea", kText, "\\x00Ff"), "\\x00ff");
  EXPECT_EQ(bind_one("bytea", kText, "\\x0"), wrong);
  EXPECT_EQ(bind_one("inet", kText, "anything"), "anything");
  EXPECT_EQ(bind_one("inet", kText, std::string_view("\0", 1)), wrong);
  EXPECT_EQ(bind_one("money", kNumber, "12.5"), "12.5");
  EXPECT_EQ(bind_one("_text", kJson, "[1]"), wrong);
}

TEST(PostgresColumnBinder, CountsTheDigitsOfASecond) {
  for (const auto& [type, text] :
       {std::pair{"time", "10:30:00.1230"}, {"timestamp", "2024-01-01T10:30:00.1230"}}) {
    for (const int digits : {2, 3}) {
      const PostgresType described = describe_postgres_type(
          {.oid = 1, .schema = "pg_catalog", .name = type, .modifier = digits});
      Field field;
      field.type = described.field_type;
      const auto binder = PostgresColumnBinder::make(field, described, true).value();
      const Cell cell{text, static_cast<std::uint32_t>(std::strlen(text)),
                      CellKind::kText};
      std::string bytes;
      CellState state = CellState::kAbsent;
      RecordError error;
      EXPECT_EQ(binder.bind(cell, bytes, state, error), digits == 3);
      if (digits == 2) {
        EXPECT_EQ(error.code, RecordErrorCode::kValueOutOfRange);
        EXPECT_EQ(error.message,
                  "must have at most 2 digits after the point of its second");
      }
    }
  }
}

}  // namespace
}  // namespace tallyman
