// What is accepted is what PostgreSQL itself would have read: random values of each type
// are bound, written by COPY BINARY and held against the server's own reading of their
// text, image for image; and read back as text they are the same value again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "db/test_postgres.h"
#include "target/postgres_row_id.h"
#include "target/postgres_window.h"
#include "target/postgres_wire.h"

namespace tallyman {
namespace {

constexpr std::string_view kCopyHead("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr std::string_view kCopyEnd("\377\377", 2);

using Random = std::mt19937_64;

int below(Random& random, int n) {
  return static_cast<int>(random() % static_cast<std::uint64_t>(n));
}

std::string digits(Random& random, int most) {
  std::string text;
  for (int n = below(random, most + 1); n > 0; --n) {
    // Zeros more often than by chance: groups of the base 10,000 are made of them.
    text += below(random, 3) == 0 ? '0' : static_cast<char>('0' + below(random, 10));
  }
  return text;
}

std::string padded(int number, int width) {
  std::string text = std::to_string(number);
  return std::string(static_cast<std::size_t>(width) - text.size(), '0') + text;
}

std::string random_number(Random& random, int whole, int fraction) {
  std::string text = below(random, 3) == 0 ? "-" : "";
  text += digits(random, whole);
  if (below(random, 4) != 0) text += "." + digits(random, fraction);
  if (below(random, 6) == 0) {
    text += (below(random, 2) ? "e" : "E-") + std::to_string(below(random, 12));
  }
  return text;
}

std::string random_date(Random& random) {
  const int year =
      below(random, 3) == 0 ? 1 + below(random, 9999) : 1990 + below(random, 40);
  return padded(year, 4) + "-" + padded(1 + below(random, 12), 2) + "-" +
         padded(1 + below(random, 31), 2);
}

std::string random_time(Random& random) {
  std::string text = padded(below(random, 25), 2) + ":" + padded(below(random, 60), 2) +
                     ":" + padded(below(random, 61), 2);
  if (below(random, 2)) text += "." + digits(random, 7);
  return text;
}

std::string random_timestamp(Random& random) {
  std::string text =
      random_date(random) + (below(random, 2) ? "T" : " ") + random_time(random);
  switch (below(random, 4)) {
    case 0: return text + "Z";
    case 1:
      return text + (below(random, 2) ? "+" : "-") + padded(below(random, 16), 2) + ":" +
             padded(below(random, 60), 2);
    default: return text;
  }
}

class PostgresRoundTrip : public testing::Test {
 protected:
  struct Counts {
    std::size_t bound = 0;
    std::size_t refused = 0;
  };

  // Binds each text for a column of the type and copies what is accepted into t(place,
  // txt, v).
  Counts copy(const std::string& type, const std::vector<std::string>& texts) {
    transaction_.reset();
    database_.sql("DROP TABLE IF EXISTS t; CREATE TABLE t (place int, txt text, v " +
                  type + ")");
    transaction_ = database_->begin_write(std::chrono::seconds(60)).value();
    table_ = read_postgres_table(connection(), "t").value();
    const auto binder = PostgresColumnBinder::make(table_.resource.fields[2],
                                                   table_.columns[2].type, true)
                            .value();
    Counts counts;
    refused_.clear();
    std::string rows(kCopyHead);
    std::string value;
    RecordError error;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Cell cell{texts[i].data(), static_cast<std::uint32_t>(texts[i].size()),
                      CellKind::kText};
      CellState state = CellState::kAbsent;
      value.clear();
      if (!binder.bind(cell, value, state, error)) {
        ++counts.refused;
        refused_.push_back(texts[i]);
        continue;
      }
      ++counts.bound;
      db::append_wire16(rows, 3);
      db::append_wire32(rows, 4);
      db::append_wire32(rows, static_cast<std::uint32_t>(i));
      for (const std::string& part : {texts[i], value}) {
        db::append_wire32(rows, static_cast<std::uint32_t>(part.size()));
        rows += part;
      }
    }
    rows += kCopyEnd;
    auto copying = connection().copy_in("COPY t FROM STDIN (FORMAT binary)").value();
    EXPECT_TRUE(copying.write(rows).ok());
    const auto copied = copying.finish();
    EXPECT_TRUE(copied.ok()) << copied.error().message;
    return counts;
  }

  db::PostgresConnection& connection() { return db::postgres(*transaction_); }

  // Texts whose value is not, image for image, that of an expression over txt.
  std::string different_from(const std::string& expression) {
    const auto found = connection().exec(
        "SELECT count(*), min(txt) FROM t WHERE NOT record_image_eq(ROW(v), ROW(" +
        expression + "))");
    EXPECT_TRUE(found.ok()) << found.error().message << connection().failure().message;
    if (!found.ok()) return "an error";
    if (found.value().integer(0, 0) == 0) return "";
    return std::string(found.value().text(0, 0)) + ": " +
           std::string(found.value().text(0, 1));
  }

  // Reads all values in binary, says them as text, and lets the server compare them.
  std::string different_when_read_back(const std::string& type) {
    const PostgresColumn& column = table_.columns[2];
    const auto values =
        connection()
            .execute_params(
                "SELECT place, " + postgres_read_term(column, "t") + " FROM t",
                db::PostgresParams(), true)
            .value();
    db::PostgresArray places(db::kInt8Oid);
    db::PostgresArray texts(db::kTextOid);
    for (int row = 0; row < values.rows(); ++row) {
      std::string text;
      append_wire_text(column.type.wire, values.text(row, 1), text);
      places.add_integer(wire_integer(PostgresWire::kInt4, values.text(row, 0)));
      texts.add(text);
    }
    db::PostgresParams params;
    params.add_view(db::kInt8ArrayOid, places.wire());
    params.add_view(db::kTextArrayOid, texts.wire());
    const auto found = connection().execute_params(
        "SELECT count(*), min(said) FROM unnest($1::int8[], $2::text[]) AS s(place, "
        "said) "
        "JOIN t USING (place) WHERE NOT (v = said::" +
            type + ")",
        params);
    EXPECT_TRUE(found.ok()) << connection().failure().message;
    if (!found.ok()) return "an error";
    if (found.value().integer(0, 0) == 0) return "";
    return std::string(found.value().text(0, 0)) + ": " +
           std::string(found.value().text(0, 1));
  }

  // Of what was refused, how much the server would have kept as it is.
  std::int64_t refused_but(const std::string& condition) {
    db::PostgresArray texts(db::kTextOid);
    for (const std::string& text : refused_) texts.add(text);
    db::PostgresParams params;
    params.add_view(db::kTextArrayOid, texts.wire());
    const auto found = connection().execute_params(
        "SELECT count(*), min(txt) FROM unnest($1::text[]) AS s(txt) WHERE " + condition,
        params);
    EXPECT_TRUE(found.ok()) << connection().failure().message;
    if (!found.ok()) return -1;
    EXPECT_EQ(found.value().integer(0, 0), 0) << found.value().text(0, 1);
    return found.value().integer(0, 0);
  }

  db::TemporaryPostgres database_;
  std::unique_ptr<db::Transaction> transaction_;
  PostgresTable table_;
  std::vector<std::string> refused_;
};

constexpr int kValues = 25'000;

TEST_F(PostgresRoundTrip, NumbersAreReadAsTheServerReadsThem) {
  Random random(20240131);
  struct Case {
    std::string type;
    int whole;
    int fraction;
  };
  for (const Case& one :
       {Case{"numeric", 40, 40}, Case{"numeric(12,2)", 11, 3},
        Case{"numeric(38,10)", 30, 12}, Case{"numeric(5,-2)", 8, 1},
        Case{"numeric(3,6)", 1, 8}, Case{"numeric(1000,500)", 520, 520}}) {
    SCOPED_TRACE(one.type);
    std::vector<std::string> texts;
    const bool large = one.whole > 100;
    for (int i = 0; i < (large ? 500 : kValues); ++i) {
      texts.push_back(random_number(random, one.whole, one.fraction));
    }
    const Counts counts = copy(one.type, texts);
    EXPECT_GT(counts.bound, texts.size() / 20);
    EXPECT_GT(counts.refused, 0u);
    EXPECT_EQ(different_from("txt::" + one.type), "");
    EXPECT_EQ(different_when_read_back(one.type), "");
    if (one.type == "numeric") continue;
    // What was refused is no number, or it would have been rounded or did not fit.
    refused_but(
        "txt ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$' AND "
        "txt::numeric = round(txt::numeric, " +
        std::to_string(table_.columns[2].type.scale.value_or(0)) +
        ") AND abs(txt::numeric) < 10::numeric ^ " +
        std::to_string(*table_.columns[2].type.precision -
                       *table_.columns[2].type.scale));
  }
}

TEST_F(PostgresRoundTrip, FloatsAreReadAsTheServerReadsThem) {
  Random random(20240132);
  for (const std::string type : {"real", "double precision"}) {
    std::vector<std::string> texts = {"0",
                                      "1e-45",
                                      "1.4e-45",
                                      "3.4028234e38",
                                      "1e308",
                                      "2.2250738585072011e-308",
                                      "16777217",
                                      "0.1",
                                      "9007199254740993",
                                      "123456789012345678"};
    for (int i = 0; i < kValues; ++i) {
      texts.push_back(random_number(random, 20, 20));
      texts.push_back(random_number(random, 2, 8) + "e" +
                      std::to_string(below(random, 60) - 30));
    }
    copy(type, texts);
    // The server refuses what is too small, and keeps the sign of zero.
    EXPECT_EQ(
        different_from("CASE WHEN v = 0 THEN 0::" + type + " ELSE txt::" + type + " END"),
        "");
    EXPECT_EQ(different_when_read_back(type), "");
  }
}

TEST_F(PostgresRoundTrip, TimesAreReadAsTheServerReadsThem) {
  Random random(20240133);
  std::vector<std::string> dates = {"0001-01-01", "9999-12-31", "2000-02-29",
                                    "1900-02-29", "1999-12-31", "2000-01-01"};
  std::vector<std::string> times = {"00:00:00", "23:59:59.999999", "24:00:00"};
  std::vector<std::string> timestamps = {"0001-01-01T00:00:00+15:59",
                                         "9999-12-31T23:59:59.999999-15:59",
                                         "1999-12-31T23:59:59.999999"};
  for (int i = 0; i < kValues; ++i) {
    dates.push_back(random_date(random));
    times.push_back(random_time(random));
    timestamps.push_back(random_timestamp(random));
  }
  copy("date", dates);
  EXPECT_EQ(different_from("txt::date"), "");
  EXPECT_EQ(different_when_read_back("date"), "");
  for (const std::string type : {"time", "time(2)", "time(0)"}) {
    copy(type, times);
    EXPECT_EQ(different_from("txt::" + type), "") << type;
    EXPECT_EQ(different_when_read_back(type), "") << type;
  }
  for (const std::string type : {"timestamptz", "timestamptz(3)"}) {
    copy(type, timestamps);
    EXPECT_EQ(different_from("txt::" + type), "") << type;
    EXPECT_EQ(different_when_read_back(type), "") << type;
  }
  // Where the column keeps no zone the server would drop the offset; we apply it.
  copy("timestamp", timestamps);
  EXPECT_EQ(different_from("txt::timestamptz AT TIME ZONE 'UTC'"), "");
  EXPECT_EQ(different_when_read_back("timestamp"), "");
}

TEST_F(PostgresRoundTrip, OtherTypesAreReadAsTheServerReadsThem) {
  database_.sql(
      "CREATE TYPE mood AS ENUM ('sad', 'so so', '\xC3\xA9');"
      "CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);"
      "CREATE DOMAIN short AS varchar(5)");
  const auto check = [&](const std::string& type, const std::vector<std::string>& texts,
                         std::size_t bound) {
    SCOPED_TRACE(type);
    EXPECT_EQ(copy(type, texts).bound, bound);
    EXPECT_EQ(different_from("txt::" + type), "");
    if (type != "json") {
      EXPECT_EQ(different_when_read_back(type), "");
    }
  };
  check("smallint", {"-32768", "32767", "32768", "-0", "+5"}, 4);
  check("int", {"-2147483648", "2147483647", "2147483648", "007"}, 3);
  check("bigint", {"-9223372036854775808", "9223372036854775807", "9223372036854775808"},
        2);
  check("bool", {"true", "F", "1", "0", "T", "yes"}, 5);
  check("text", {"", " a ", "\xF0\x9F\x98\x80", std::string("\0", 1), "\\x41"}, 4);
  check("varchar(3)", {"abc", "\xC3\xA9\xC3\xA9\xC3\xA9", "abcd", "abc "}, 2);
  check("char(3)", {"abc", "a", "abcd", "a  "}, 3);
  check("json", {"{\"a\": 1, \"a\": 2}", "[1,  2]", "\"\\u0000\"", "{", "null"}, 4);
  check("jsonb", {"{\"a\": 1, \"a\": 2}", "[1,  2]", "\"\\u0000\"", "1.50", "null"}, 4);
  check("uuid",
        {"550e8400-e29b-41d4-a716-446655440000", "550E8400-E29B-41D4-A716-44665544FFFF",
         "550e8400"},
        2);
  check("bytea", {"\\x", "\\x00ff41", "\\xFf", "\\x0", "abc"}, 3);
  check("mood", {"sad", "so so", "\xC3\xA9", "glad", "SAD"}, 3);
  check("even", {"2", "-4", "x"}, 2);
  check("short", {"abcde", "abcdef"}, 1);
}

// What is cast goes as text, in an array, and is read where it is assigned.
TEST_F(PostgresRoundTrip, TypesWithoutAFormOfOursAreCastOnTheServer) {
  database_.sql("CREATE TYPE pair AS (a int, b text); CREATE DOMAIN address AS inet");
  for (const auto& [type, text] : std::vector<std::pair<std::string, std::string>>{
           {"interval", "1 day 02:03:04.5"},
           {"inet", "10.0.0.1/8"},
           {"cidr", "10.0.0.0/8"},
           {"macaddr", "08:00:2b:01:02:03"},
           {"int[]", "{1,NULL,3}"},
           {"text[]", "{a,\"b c\",\"\\\"\"}"},
           {"int4range", "[1,5)"},
           {"xml", "<a/>"},
           {"money", "12.50"},
           {"bit(3)", "101"},
           {"varbit", "10101"},
           {"timetz", "10:30:00+02"},
           {"point", "(1,2)"},
           {"pair", "(1,\"a b\")"},
           {"tsvector", "a b"},
           {"oid", "42"},
           {"\"char\"", "x"},
           {"address", "10.0.0.1"}}) {
    SCOPED_TRACE(type);
    transaction_.reset();
    database_.sql("DROP TABLE IF EXISTS t; CREATE TABLE t (v " + type + ")");
    transaction_ = database_->begin_write(std::chrono::seconds(60)).value();
    table_ = read_postgres_table(connection(), "t").value();
    const PostgresType& described = table_.columns[0].type;
    ASSERT_TRUE(described.needs_cast());
    db::PostgresArray array(described.wire_oid);
    array.add(text);
    db::PostgresParams params;
    params.add_view(described.wire_array_oid, array.wire());
    const auto written = connection().execute_params(
        "INSERT INTO t SELECT x.v::" + described.name + " FROM unnest($1) AS x(v)",
        params);
    ASSERT_TRUE(written.ok()) << connection().failure().message;
    const auto same = connection().execute(
        "SELECT count(*) FROM t WHERE v::text = ($1::" + type + ")::text", text);
    EXPECT_EQ(same.value().integer(0, 0), 1);
  }
}

}  // namespace
}  // namespace tallyman
