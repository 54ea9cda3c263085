#include "target/sqlite_type.h"

#include <gtest/gtest.h>

namespace tallyman {
namespace {

FieldType type_of(std::string_view declared) {
  return describe_sqlite_type(declared, false).type;
}

TEST(SqliteType, GoesByTheNameThenByTheAffinity) {
  using enum FieldType;
  for (const char* name : {"INT", "integer", "BIGINT", "unsigned big int", "int8"}) {
    EXPECT_EQ(type_of(name), kInteger) << name;
  }
  for (const char* name : {"REAL", "float", "DOUBLE PRECISION"}) {
    EXPECT_EQ(type_of(name), kFloat) << name;
  }
  for (const char* name : {"TEXT", "varchar(20)", "NATIVE CHARACTER(70)", "clob"}) {
    EXPECT_EQ(type_of(name), kText) << name;
  }
  for (const char* name : {"DECIMAL(10,2)", "numeric", "NUMBER ( 8 )", "dec(3)"}) {
    EXPECT_EQ(type_of(name), kDecimal) << name;
  }
  EXPECT_EQ(type_of("boolean"), kBoolean);
  EXPECT_EQ(type_of("DATE"), kDate);
  EXPECT_EQ(type_of("time"), kTime);
  for (const char* name :
       {"DATETIME", "timestamp", "TIMESTAMP(6)", "timestamp with time zone",
        "TIMESTAMP WITHOUT TIME ZONE", "timestamptz"}) {
    EXPECT_EQ(type_of(name), kTimestamp) << name;
  }
  EXPECT_EQ(type_of("uuid"), kUuid);
  EXPECT_EQ(type_of("JSON"), kJson);
  EXPECT_EQ(type_of("jsonb"), kJson);
  EXPECT_EQ(type_of("BLOB"), kBytes);
  EXPECT_EQ(type_of(""), kAny);
  EXPECT_EQ(type_of("STRING"), kAny);
}

TEST(SqliteType, ReadsPrecisionScaleAndLength) {
  const auto decimal = describe_sqlite_type(" decimal( 12 , 2 ) ", false);
  EXPECT_EQ(decimal.precision, 12);
  EXPECT_EQ(decimal.scale, 2);
  EXPECT_EQ(describe_sqlite_type("NUMERIC(5)", false).scale, 0);
  EXPECT_EQ(describe_sqlite_type("NUMERIC", false).scale, std::nullopt);
  EXPECT_EQ(describe_sqlite_type("VARCHAR(200)", false).max_length, 200u);
  EXPECT_EQ(describe_sqlite_type("VARCHAR", false).max_length, std::nullopt);
  EXPECT_EQ(describe_sqlite_type("VARCHAR(max)", false).max_length, std::nullopt);
  EXPECT_EQ(describe_sqlite_type("TEXT(9)", false).max_length, std::nullopt);
}

TEST(SqliteType, KeepsAnythingInAnAnyColumnOfAStrictTable) {
  EXPECT_EQ(describe_sqlite_type("ANY", true).affinity, SqliteAffinity::kNone);
  EXPECT_EQ(describe_sqlite_type("ANY", false).affinity, SqliteAffinity::kNumeric);
  EXPECT_EQ(describe_sqlite_type("INT", true).affinity, SqliteAffinity::kInteger);
}

}  // namespace
}  // namespace tallyman
